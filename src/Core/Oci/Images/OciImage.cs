using BuildKit.Solve.Provenance;

namespace BuildKit.Oci.Images;

/// <summary>An image for one platform, or an artifact: everything that is known about it without its layers.</summary>
public sealed record OciImage
{
    /// <summary>What leads to exactly this image, wherever a reference is taken: <c>oci-layout://PATH@DIGEST</c>, or <c>REPOSITORY@DIGEST</c> in a registry.</summary>
    public required string Reference { get; init; }

    /// <summary>Where it is: the path of a layout or an archive, or a registry's repository.</summary>
    public required string Location { get; init; }

    /// <summary>The layout, which is a directory or an archive; null for a registry.</summary>
    public string? Layout { get; init; }

    /// <summary>The names that lead to it, whole where they are known whole.</summary>
    public IReadOnlyList<string> Names { get; init; } = new List<string>();

    /// <summary>The digest of its manifest, such as <c>sha256:…</c>.</summary>
    public required string Digest { get; init; }

    /// <summary>The type of its manifest.</summary>
    public required string MediaType { get; init; }

    /// <summary>Bytes that have to be transferred for it: manifest, configuration and layers, compressed as they are.</summary>
    public required long Size { get; init; }

    /// <summary>What it runs on; null for an artifact of which nothing is said.</summary>
    public OciPlatform? Platform { get; init; }

    /// <summary>The index that lists it; null where it stands alone.</summary>
    public OciImageIndex? Index { get; init; }

    /// <summary>When it was made, as its configuration says.</summary>
    public DateTimeOffset? Created => Config?.Created;

    /// <summary>How it runs; null for an artifact, which is not run.</summary>
    public OciImageConfig? Config { get; init; }

    /// <summary>How it was made, the first step first, each with the layer that it left.</summary>
    public IReadOnlyList<OciImageHistory> History { get; init; } = new List<OciImageHistory>();

    /// <summary>Its layers, the lowest first; of an artifact, what it consists of.</summary>
    public IReadOnlyList<OciImageLayer> Layers { get; init; } = new List<OciImageLayer>();

    /// <summary>What its manifest says about it, and the entry of the index that lists it; the manifest has the last word.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>The type of an artifact; null for an image.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>The digest of what it is about, such as the image that a signature signs; null where it is about itself.</summary>
    public string? Subject { get; init; }

    /// <summary>What is stated about it in the index: how it came about, what is in it.</summary>
    public IReadOnlyList<OciAttestation> Attestations { get; init; } = new List<OciAttestation>();

    /// <summary>How it came about, as an attestation says; null where none does.</summary>
    public BuildKitProvenance? Provenance => Attestations.Select(attestation => attestation.Provenance).FirstOrDefault(provenance => provenance is not null);

    /// <summary>What is in it, as attestations say: that of the image first, then those of other stages and contexts.</summary>
    public IReadOnlyList<OciSbom> Sbom => Attestations.Select(attestation => attestation.Sbom).OfType<OciSbom>().ToList();

    /// <summary>The <see cref="Reference"/>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Reference;
}

/// <summary>The index that lists an image beside others.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="MediaType">Its type.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Platforms">The platforms that it lists, in its order.</param>
/// <param name="Annotations">What it says about itself.</param>
public sealed record OciImageIndex(string Digest, string MediaType, long Size, IReadOnlyList<OciPlatform> Platforms, IReadOnlyDictionary<string, string> Annotations)
{
    /// <summary>The digest.</summary>
    public override string ToString() => Digest;
}

/// <summary>A layer of an image.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="MediaType">Its type, which tells the compression.</param>
/// <param name="Size">Its size in bytes, compressed as it is.</param>
/// <param name="DiffId">The digest of its content without compression; null where the configuration has none for it.</param>
/// <param name="CreatedBy">The step that made it; null where the history does not tell.</param>
/// <param name="Annotations">What the manifest says about it.</param>
public sealed record OciImageLayer(string Digest, string MediaType, long Size, string? DiffId, string? CreatedBy, IReadOnlyDictionary<string, string> Annotations)
{
    /// <summary>The digest.</summary>
    public override string ToString() => Digest;
}

/// <summary>A step in the history of an image.</summary>
/// <param name="CreatedBy">What was done, such as <c>RUN /bin/sh -c make # buildkit</c>.</param>
/// <param name="Created">When.</param>
/// <param name="Author">By whom.</param>
/// <param name="Comment">A remark, as a rule the tool: <c>buildkit.dockerfile.v0</c>.</param>
/// <param name="EmptyLayer">Whether it left no layer.</param>
/// <param name="Layer">The layer; null where it left none, or where history and layers do not fit each other.</param>
public sealed record OciImageHistory(string? CreatedBy, DateTimeOffset? Created, string? Author, string? Comment, bool EmptyLayer, OciImageLayer? Layer)
{
    /// <summary>The layer's size in bytes, 0 without one.</summary>
    public long Size => Layer?.Size ?? 0;

    /// <summary>What was done.</summary>
    public override string ToString() => CreatedBy ?? string.Empty;
}
