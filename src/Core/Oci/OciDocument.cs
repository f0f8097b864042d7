namespace BuildKit.Oci;

/// <summary>A blob that points to others: an index or a manifest.</summary>
/// <param name="Index">The index, where it is one.</param>
/// <param name="Manifest">The manifest, where it is one.</param>
internal sealed record OciDocument(OciIndex? Index, OciManifest? Manifest)
{
    /// <summary>How many bytes of such a blob, or of a configuration, are read. Registries take 4 MiB.</summary>
    public const int MaxBytes = 32 << 20;

    /// <summary>How many indexes may lie one in another.</summary>
    public const int MaxDepth = 32;

    public string? ArtifactType => Index?.ArtifactType ?? Manifest?.ArtifactType;

    public OciDescriptor? Subject => Index?.Subject ?? Manifest?.Subject;

    public string? MediaType => Index?.MediaType ?? Manifest?.MediaType;

    /// <summary>What it points to, and by which of its fields.</summary>
    public IEnumerable<(string Field, OciDescriptor Blob)> References
    {
        get
        {
            for (var i = 0; i < Index?.Manifests.Count; i++)
                yield return ($"manifests[{i}]", Index.Manifests[i]);
            if (Manifest?.Config is { } config)
                yield return ("config", config);
            for (var i = 0; i < Manifest?.Layers.Count; i++)
                yield return ($"layers[{i}]", Manifest.Layers[i]);
        }
    }

    /// <summary>Reads what a descriptor of an index or a manifest points to.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciBlobInvalid</c> and the like.</exception>
    public static async Task<OciDocument> ReadAsync(OciContentSource source, OciDescriptor blob, CancellationToken cancellationToken)
    {
        var bytes = await source.ReadBlobAsync(blob, MaxBytes, cancellationToken).ConfigureAwait(false);
        try
        {
            return Parse(bytes, blob.MediaType);
        }
        catch (FormatException e)
        {
            throw OciErrors.BlobInvalid(source.Location, blob, e.Message);
        }
    }

    /// <exception cref="FormatException">It is neither.</exception>
    public static OciDocument Parse(byte[] bytes, string mediaType) => OciMediaType.KindOf(mediaType) == OciBlobKind.Index
        ? new OciDocument(OciIndex.Parse(bytes), null)
        : new OciDocument(null, OciManifest.Parse(bytes));
}
