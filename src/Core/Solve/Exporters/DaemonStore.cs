namespace BuildKit.Solve.Exporters;

/// <summary>The kinds of daemon that treat exporters differently: the columns of <see cref="ExporterTable"/>.</summary>
internal enum DaemonStore
{
    /// <summary>Docker Engine with the classic image store.</summary>
    EngineGraphdriver,

    /// <summary>Docker Engine with the containerd image store.</summary>
    EngineContainerd,

    /// <summary>A standalone buildkitd.</summary>
    Buildkitd,

    /// <summary>A buildkitd in a container of a Docker Engine (the driver <c>docker-container</c>).</summary>
    ContainerBuilder,
}
