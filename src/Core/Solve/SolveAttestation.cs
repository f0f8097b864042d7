namespace BuildKit.Solve;

/// <summary>An attestation of the result, as <c>docker buildx build --attest</c> names it.</summary>
public sealed record SolveAttestation
{
    /// <summary><c>provenance</c> or <c>sbom</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Whether it is left out, the default one too.</summary>
    public bool Disabled { get; init; }

    /// <summary>Its attributes: <c>mode</c>, <c>generator</c>, <c>inline-only</c>, <c>version</c> …</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();
}
