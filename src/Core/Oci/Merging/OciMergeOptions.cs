using BuildKit.Oci.Copying;

namespace BuildKit.Oci.Merging;

/// <summary>What to do where two images are for the same platform.</summary>
public enum OciMergeDuplicate
{
    /// <summary>Refuse, with the choices.</summary>
    Refuse,

    /// <summary>Keep the one that was named first.</summary>
    First,

    /// <summary>Keep the one that was named last.</summary>
    Last,
}

/// <summary>What is to become one index, and where it is to be.</summary>
public sealed record OciMergeOptions
{
    /// <summary>Images and indexes, in the order in which they are to be listed.</summary>
    public required IReadOnlyList<OciAddress> Sources { get; init; }

    /// <summary>Names in registries, with tags, and images in layout directories (<c>oci-layout://PATH:TAG</c>; a directory that is missing is made).</summary>
    public required IReadOnlyList<OciAddress> Destinations { get; init; }

    /// <summary>Whether what the first destination leads to comes before the sources.</summary>
    public bool Append { get; init; }

    /// <summary>The platforms to keep; empty for all. Attestations stay with their images.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];

    /// <summary>Annotations as <c>docker buildx imagetools create --annotation</c> takes them, <c>[index:|manifest-descriptor[PLATFORM]:]KEY=VALUE</c>; of the index where nothing is said.</summary>
    public IReadOnlyList<string> Annotations { get; init; } = [];

    /// <summary>What to do where two images are for the same platform.</summary>
    public OciMergeDuplicate Duplicate { get; init; }

    /// <summary>Whether a registry that is not on this machine may be spoken to without TLS, or with a certificate that nobody vouches for.</summary>
    public bool IsInsecure { get; init; }
}
