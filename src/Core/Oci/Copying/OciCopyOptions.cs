using BuildKit.Builders;

namespace BuildKit.Oci.Copying;

/// <summary>What to copy.</summary>
public sealed record OciCopyOptions
{
    /// <summary>Where the image is.</summary>
    public required OciAddress Source { get; init; }

    /// <summary>Where it is to be. Without a name in it, the image keeps the one it has.</summary>
    public required OciAddress Destination { get; init; }

    /// <summary>The platforms to copy, such as <c>linux/arm64</c>; empty for all. Where one image is left of an index, it is copied alone, and its own digest is the image's.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = new List<string>();

    /// <summary>Whether what BuildKit attests about images (provenance, SBOM) stays behind.</summary>
    public bool NoAttestation { get; init; }

    /// <summary>Whether what refers to the image goes with it: signatures, SBOMs and the like that have it for their subject.</summary>
    public bool IncludeReferrers { get; init; }

    /// <summary>Whether registries that are not on this machine may be spoken to without TLS, or with a certificate that nobody vouches for.</summary>
    public bool Insecure { get; init; }

    /// <summary>The Docker Engine that <see cref="OciTransport.DockerDaemon"/> means; null for the one that docker itself would use.</summary>
    public BuildKitConnection? Engine { get; init; }

    /// <summary>How many blobs are copied at the same time, where the destination can take several.</summary>
    public int Concurrency { get; init; } = 4;
}
