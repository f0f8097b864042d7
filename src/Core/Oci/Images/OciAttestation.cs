using BuildKit.Solve.Provenance;

namespace BuildKit.Oci.Images;

/// <summary>A statement about an image (in-toto), kept beside it in its index.</summary>
public sealed record OciAttestation
{
    /// <summary>What it states, a URI: <c>https://slsa.dev/provenance/v1</c>, <c>https://spdx.dev/Document</c> …</summary>
    public required string PredicateType { get; init; }

    /// <summary>The digest of the statement.</summary>
    public required string Digest { get; init; }

    /// <summary>Its type.</summary>
    public required string MediaType { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>The digest of the manifest that lists it.</summary>
    public required string Manifest { get; init; }

    /// <summary>How the image came about, where that is what it states.</summary>
    public BuildKitProvenance? Provenance { get; init; }

    /// <summary>What is in the image, where that is what it states.</summary>
    public OciSbom? Sbom { get; init; }

    /// <summary>What it states, as it is written (in a provenance, without the credentials of proxies).</summary>
    public required string Json { get; init; }

    /// <summary>What it states.</summary>
    public override string ToString() => PredicateType;
}

/// <summary>What an image consists of: a software bill of materials in SPDX.</summary>
public sealed record OciSbom
{
    /// <summary>What it is about: <c>sbom</c> is the image itself, for other stages and contexts their names follow.</summary>
    public string? Name { get; init; }

    /// <summary>Such as <c>SPDX-2.3</c>.</summary>
    public string? SpdxVersion { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>What made it, such as <c>Tool: syft-v0.91</c>.</summary>
    public IReadOnlyList<string> Creators { get; init; } = new List<string>();

    /// <summary>What was found.</summary>
    public IReadOnlyList<OciSbomPackage> Packages { get; init; } = new List<OciSbomPackage>();

    /// <summary>How many packages were found.</summary>
    public int PackageCount => Packages.Count;

    /// <summary>What it is about, and how much was found.</summary>
    public override string ToString() => $"{Name} ({PackageCount} packages)";
}

/// <summary>A package in an image.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version; null where it is not known.</param>
/// <param name="License">Its license as an SPDX expression: what was declared, or else concluded; null where neither is known.</param>
/// <param name="Supplier">Who supplies it; null where it is not known.</param>
/// <param name="Purl">Its package URL, such as <c>pkg:deb/debian/bash@5.2</c>; null where there is none.</param>
/// <param name="Id">Its id within the document.</param>
public sealed record OciSbomPackage(string? Name, string? Version, string? License, string? Supplier, string? Purl, string? Id)
{
    /// <summary>Name and version.</summary>
    public override string ToString() => Version is null ? $"{Name}" : $"{Name}@{Version}";
}
