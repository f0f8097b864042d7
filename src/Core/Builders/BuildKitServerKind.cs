namespace BuildKit.Builders;

/// <summary>What answers at an endpoint.</summary>
public enum BuildKitServerKind
{
    /// <summary>A Docker Engine with BuildKit inside.</summary>
    DockerEngine,

    /// <summary>A standalone buildkitd.</summary>
    Buildkitd,
}
