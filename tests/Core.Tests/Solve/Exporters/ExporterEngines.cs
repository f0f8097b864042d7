using BuildKit.Builders;
using BuildKit.Solve.Exporters;
using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Solve.Exporters;

/// <summary>The daemons that the table is proven on.</summary>
internal static class ExporterEngines
{
    public static EngineKind[] Kinds { get; } =
    [
        EngineKind.Docker28Graphdriver, EngineKind.Docker28Containerd, EngineKind.Docker26, EngineKind.Docker26Containerd, EngineKind.Docker20, EngineKind.BuildkitdUnix,
    ];

    public static DaemonStore Store(EngineKind kind) => kind switch
    {
        EngineKind.Docker28Graphdriver or EngineKind.Docker26 or EngineKind.Docker20 => DaemonStore.EngineGraphdriver,
        EngineKind.Docker28Containerd or EngineKind.Docker26Containerd => DaemonStore.EngineContainerd,
        _ => DaemonStore.Buildkitd,
    };

    public static async Task<BuildKitConnection> ConnectAsync(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        return await BuildKitConnection.ConnectAsync(BuildKitEndpoint.Parse(engine.Address.ToString()));
    }
}
