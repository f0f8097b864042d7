namespace BuildKit.Oci;

/// <summary>A blob that points to others: an index or a manifest. One that was made to deceive may be both.</summary>
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

    /// <summary>As <see cref="ReadAsync"/>; null for what is not there. To ask before would be two requests more to a registry.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciBlobInvalid</c> and the like: it is damaged.</exception>
    public static async Task<OciDocument?> TryReadAsync(OciContentSource source, OciDescriptor blob, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(source, blob, cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException e) when (OciErrors.IsMissing(e))
        {
            return null;
        }
    }

    /// <summary>What a manifest that an index lists is about; null where it is about nothing, is none, or is not there.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciBlobInvalid</c> and the like: it is damaged.</exception>
    public static async Task<OciDigest?> FindSubjectAsync(OciContentSource source, OciDescriptor listed, CancellationToken cancellationToken) =>
        OciMediaType.KindOf(listed.MediaType) is OciBlobKind.Index or OciBlobKind.Manifest || listed.MediaType.Length == 0
            ? (await TryReadAsync(source, listed, cancellationToken).ConfigureAwait(false))?.Subject?.Digest
            : null;

    /// <summary>Reads a document as what its descriptor says it is; where that says neither, as what it is by itself.</summary>
    /// <exception cref="FormatException">It is neither, or the other one: tools would not agree about what belongs to the image.</exception>
    public static OciDocument Parse(byte[] bytes, string mediaType)
    {
        var document = ParseAny(bytes, mediaType);
        return OciMediaType.KindOf(mediaType) switch
        {
            OciBlobKind.Index when document.Manifest is not null => throw new FormatException("it is a manifest, and its descriptor says that it is an index"),
            OciBlobKind.Manifest when document.Index is not null => throw new FormatException("it is an index, and its descriptor says that it is a manifest"),
            _ => document,
        };
    }

    /// <summary>Reads a document as what it is by itself, by its fields; what has none of either is what its descriptor says.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static OciDocument ParseAny(byte[] bytes, string mediaType)
    {
        var names = OciJson.Members(bytes).Where(member => !member.IsNull).Select(member => member.Name).ToHashSet();
        var isManifest = names.Overlaps(["layers", "blobs", "config"]);
        var isIndex = names.Contains("manifests") || (!isManifest && OciMediaType.KindOf(mediaType) == OciBlobKind.Index);
        return new OciDocument(isIndex ? OciIndex.Parse(bytes) : null, isManifest || !isIndex ? OciManifest.Parse(bytes) : null);
    }
}
