namespace BuildKit.Oci;

/// <summary>An entry of an index, as a person sees it.</summary>
public sealed record OciIndexEntry
{
    /// <summary>The annotation in which further names of an image are kept: a list with commas. No other tool knows it.</summary>
    public const string OtherNamesAnnotation = "buildkit-powershell.image.names";

    /// <summary>What it points to, such as <c>sha256:…</c>.</summary>
    public required string Digest { get; init; }

    /// <summary>The type of that; empty where it was left out.</summary>
    public required string MediaType { get; init; }

    /// <summary>Its size in bytes: of the manifest, not of the image.</summary>
    public required long Size { get; init; }

    /// <summary>What it is: an index, a manifest or something else.</summary>
    public required OciBlobKind Kind { get; init; }

    /// <summary>The short name: <c>1</c>; null where there is none.</summary>
    public string? RefName { get; init; }

    /// <summary>The whole name: <c>docker.io/library/app:1</c>; null where there is none.</summary>
    public string? ImageName { get; init; }

    /// <summary>Names that <c>Repair-OciIndex</c> took from entries for the same image, and kept.</summary>
    public IReadOnlyList<string> OtherNames { get; init; } = new List<string>();

    /// <summary>What it runs on, as far as the index says so.</summary>
    public OciPlatform? Platform { get; init; }

    /// <summary>What the index says about it.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>The type of an artifact that is no image; null where there is none.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>The digest of the manifest that this one is about: of an attestation, the image; null where there is none.</summary>
    public string? Subject { get; init; }

    /// <summary>Where it stands: <c>index.json/manifests[0]</c>, and in a nested index <c>index.json/manifests[0]/manifests[1]</c>.</summary>
    public required string Path { get; init; }

    /// <summary>What leads to exactly this manifest, wherever a reference is taken: <c>oci-layout://PATH@DIGEST</c>, or <c>REPOSITORY@DIGEST</c> in a registry.</summary>
    public string Reference => Repository is null ? new OciLayoutReference(Layout ?? string.Empty, null, Digest).ToString() : $"{Repository}@{Digest}";

    /// <summary>The layout: a directory, an archive or an index file; null for a registry.</summary>
    public string? Layout { get; init; }

    /// <summary>The registry's host and the repository; null for a layout.</summary>
    internal string? Repository { get; init; }

    /// <summary>The <see cref="Reference"/>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Reference;

    internal static OciIndexEntry Create(OciDescriptor manifest, string path, string? layout, string? repository = null) => new()
    {
        Digest = manifest.Digest.ToString(),
        MediaType = manifest.MediaType,
        Size = manifest.Size,
        Kind = OciMediaType.KindOf(manifest.MediaType),
        RefName = manifest.RefName,
        ImageName = manifest.ImageName,
        OtherNames = OtherNamesOf(manifest),
        Platform = manifest.Platform,
        Annotations = manifest.Annotations,
        ArtifactType = manifest.ArtifactType,
        Subject = manifest.Annotations.GetValueOrDefault(OciDescriptor.ReferenceDigestAnnotation),
        Path = path,
        Layout = layout,
        Repository = repository,
    };

    internal static List<string> OtherNamesOf(OciDescriptor manifest) => manifest.Annotations.TryGetValue(OtherNamesAnnotation, out var names)
        ? [.. names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)]
        : [];
}
