using System.Text;

namespace BuildKit.Oci.Merging;

/// <summary>An index that was made of several images.</summary>
public sealed record OciMergeResult
{
    /// <summary>Its digest, such as <c>sha256:…</c>.</summary>
    public required string Digest { get; init; }

    /// <summary>Its type.</summary>
    public required string MediaType { get; init; }

    /// <summary>Its size in bytes.</summary>
    public long Size => Encoding.UTF8.GetByteCount(Json);

    /// <summary>Where it is.</summary>
    public required IReadOnlyList<string> Reference { get; init; }

    /// <summary>What it lists, in its order.</summary>
    public required IReadOnlyList<OciMergedManifest> Manifests { get; init; }

    /// <summary>The platforms of its images.</summary>
    public IReadOnlyList<OciPlatform> Platforms => Manifests.Where(manifest => !manifest.IsAttestation).Select(manifest => manifest.Platform).OfType<OciPlatform>().ToList();

    /// <summary>The index as it is written.</summary>
    public required string Json { get; init; }

    /// <summary>What was asked for and can't be had, in words.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = new List<string>();
}

/// <summary>An image in such an index.</summary>
/// <param name="Digest">The digest of its manifest.</param>
/// <param name="Platform">What it runs on; null where nobody says.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="IsAttestation">Whether it is no image, but says something about another one.</param>
public sealed record OciMergedManifest(string Digest, OciPlatform? Platform, string Source, bool IsAttestation)
{
    /// <summary>Platform and digest.</summary>
    public override string ToString() => $"{Platform?.ToString() ?? "unknown"} {Digest}";
}
