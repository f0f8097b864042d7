namespace BuildKit.Oci.Images;

/// <summary>Which images are meant, of those that there are.</summary>
public sealed record OciImageQuery
{
    /// <summary>Whether a name is meant; null for images of any name, and of none.</summary>
    public Predicate<string>? Name { get; init; }

    /// <summary>The digest of an image, or of an index for everything that it lists; null for any.</summary>
    public OciDigest? Digest { get; init; }

    /// <summary>The platforms, such as <c>linux/arm64</c>; empty for all.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];

    /// <summary>Whether a registry that is not on this machine may be spoken to without TLS, or with a certificate that nobody vouches for.</summary>
    public bool IsInsecure { get; init; }

    /// <summary>Whether attestations are read as well.</summary>
    public bool IncludeAttestations { get; init; } = true;
}
