namespace BuildKit.Builders;

/// <summary>A worker of a daemon, as <c>Control.ListWorkers</c> tells of it.</summary>
public sealed record BuildKitWorker
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>The name of the builder's node that it belongs to; null where the builder is none of buildx's store.</summary>
    public string? Node { get; init; }

    /// <summary>Its labels; BuildKit's own begin with <c>org.mobyproject.buildkit.worker.</c>.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The platforms it builds for, its own first: <c>linux/amd64</c>, <c>linux/arm/v7</c>.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];

    /// <summary>The rules by which its cache is cleaned, in their order.</summary>
    public IReadOnlyList<BuildKitGcPolicy> GCPolicies { get; init; } = [];

    /// <summary>The version of BuildKit it runs; null where the daemon is too old to tell.</summary>
    public string? Version { get; init; }
}
