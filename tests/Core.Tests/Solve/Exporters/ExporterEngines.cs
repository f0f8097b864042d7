using BuildKit.Builders;
using BuildKit.Solve.Exporters;
using BuildKit.Tests.Builders.Drivers;
using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Solve.Exporters;

/// <summary>The daemons that the table is proven on.</summary>
internal static class ExporterEngines
{
    public static EngineKind[] Kinds { get; } =
    [
        EngineKind.Docker28Graphdriver, EngineKind.Docker28Containerd, EngineKind.Docker26, EngineKind.Docker26Containerd, EngineKind.Docker20, EngineKind.BuildkitdUnix,
    ];

    // The run's engine ends, and with it the container.
    private static readonly Lazy<Task<ContainerBuilder>> Container = new(async () =>
        await ContainerBuilder.OnAsync(await TestEngines.GetAsync(EngineKind.Docker28Graphdriver), ("network", "host")));

    /// <summary>A buildkitd in a container, the same for all tests, which reaches the run's registry.</summary>
    public static async Task<BuildKitConnection> ConnectToContainerAsync() => await (await Container.Value).ConnectAsync();

    public static DaemonStore Store(EngineKind kind) => kind switch
    {
        EngineKind.Docker28Graphdriver or EngineKind.Docker26 or EngineKind.Docker20 => DaemonStore.EngineGraphdriver,
        EngineKind.Docker28Containerd or EngineKind.Docker26Containerd => DaemonStore.EngineContainerd,
        _ => DaemonStore.Buildkitd,
    };

    public static async Task<BuildKitConnection> ConnectAsync(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        return await EngineConnection.ConnectAsync(engine);
    }
}
