namespace BuildKit.Docker;

/// <summary>What <c>GET /distribution/{name}/json</c> tells of an image in its registry, as far as it is used.</summary>
internal sealed record DistributionInspectResponse
{
    /// <summary>The platforms of an index, or of a manifest of docker's own kind; null or empty where the Engine does not look for them.</summary>
    public IReadOnlyList<PlatformJson>? Platforms { get; init; }
}
