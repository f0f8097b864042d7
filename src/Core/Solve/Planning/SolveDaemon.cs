using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>What a plan depends on of the daemon, of this user's docker config and of this process's environment.</summary>
/// <param name="Store">The column of the exporter table.</param>
internal sealed record SolveDaemon(DaemonStore Store)
{
    /// <summary>The daemon's workers when the connection was opened.</summary>
    public IReadOnlyList<BuildKitWorker> Workers { get; init; } = [];

    /// <summary>The address, by which the docker config may set proxies; empty where none is known.</summary>
    public string Address { get; init; } = string.Empty;

    /// <summary>The docker config.</summary>
    public DockerConfigFile Config { get; init; } = new() { Directory = string.Empty };

    /// <summary>Reads a variable of the environment; null where it is not set.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The version of the Engine's API; null for a buildkitd.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Whether its BuildKit is from before 0.11, which came with Docker 24 and with workers that tell their version (an Engine's with the containerd store don't).</summary>
    public bool IsOlderThan011 => IsEngine ? SeveralExports.IsOlder(ApiVersion, new Version(1, 43)) : Workers.Count > 0 && Workers.All(worker => worker.Version is null);

    /// <summary>Whether it is a Docker Engine's own BuildKit.</summary>
    public bool IsEngine => Store is DaemonStore.EngineGraphdriver or DaemonStore.EngineContainerd;

    /// <summary>The column of a connection.</summary>
    public static DaemonStore StoreOf(BuildKitConnection connection) => connection.ImageStore switch
    {
        BuildKitImageStore.Graphdriver => DaemonStore.EngineGraphdriver,
        BuildKitImageStore.Containerd => DaemonStore.EngineContainerd,
        _ when connection.Endpoint.Scheme == "docker-container" => DaemonStore.ContainerBuilder,
        _ => DaemonStore.Buildkitd,
    };

    public static SolveDaemon Of(BuildKitConnection connection, DockerConfigFile config) => new(StoreOf(connection))
    {
        Workers = connection.Workers,
        ApiVersion = connection.ApiVersion,
        Address = connection.Endpoint.Address,
        Config = config,
    };
}
