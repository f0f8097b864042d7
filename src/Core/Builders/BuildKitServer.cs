namespace BuildKit.Builders;

/// <summary>What a daemon is and can do.</summary>
public sealed record BuildKitServer
{
    /// <summary>The builder's name.</summary>
    public required string Name { get; init; }

    /// <summary>The name of the builder's node that it is; null where the builder is none of buildx's store.</summary>
    public string? Node { get; init; }

    /// <summary>The endpoint's address.</summary>
    public required string Address { get; init; }

    /// <summary>The way to it, certificates and all; null where it was not asked by a connection.</summary>
    public BuildKitEndpoint? Endpoint { get; init; }

    /// <summary>What answers there.</summary>
    public required BuildKitServerKind Kind { get; init; }

    /// <summary>How gRPC gets to it.</summary>
    public required GrpcRoute Route { get; init; }

    /// <summary>BuildKit's version; null where the daemon is too old to tell. An Engine's may read <c>v0.0.0+unknown</c>: nothing can be concluded from it.</summary>
    public string? Version { get; init; }

    /// <summary>The revision BuildKit was built from, or null.</summary>
    public string? Revision { get; init; }

    /// <summary>The Docker Engine's version; null for a buildkitd.</summary>
    public string? EngineVersion { get; init; }

    /// <summary>The newest version of the Engine API it speaks; null for a buildkitd.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Where built images go.</summary>
    public BuildKitImageStore ImageStore { get; init; }

    /// <summary>The platforms of all workers, the first worker's own first.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];

    /// <summary>The rules by which the first worker's cache is cleaned.</summary>
    public IReadOnlyList<BuildKitGcPolicy> GCPolicies { get; init; } = [];

    /// <summary>The <see cref="Name"/>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Name;
}
