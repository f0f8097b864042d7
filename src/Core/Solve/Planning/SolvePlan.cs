using BuildKit.Protocol.SourcePolicy;
using BuildKit.Session;
using BuildKit.Session.FileSync;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Nodes;

namespace BuildKit.Solve.Planning;

/// <summary>What a request becomes for one daemon: the solve message's parts, what is served on the session, and what is done once the solve has succeeded.</summary>
internal sealed class SolvePlan : IAsyncDisposable
{
    /// <summary>The frontend's name on the wire.</summary>
    public string Frontend { get; set; } = "dockerfile.v0";

    /// <summary>The frontend's options on the wire.</summary>
    public Dictionary<string, string> FrontendAttributes { get; } = [];

    /// <summary>The local directories that the daemon may read, each under the name it will ask for.</summary>
    public List<FileSyncSource> Sources { get; } = [];

    /// <summary>A name for the session: the context directory's as a rule.</summary>
    public string SessionName { get; set; } = string.Empty;

    /// <summary>The directory that identifies repeated builds of the same context; null where nothing is sent.</summary>
    public string? SharedKeyPath { get; set; }

    /// <summary>Entitlements on the wire.</summary>
    public List<string> Entitlements { get; } = [];

    /// <summary>Caches to write to, as they go over the wire.</summary>
    public List<SolveCache> CacheExports { get; } = [];

    /// <summary>Caches to read from, as they go over the wire.</summary>
    public List<SolveCache> CacheImports { get; } = [];

    /// <summary>Which sources the build may use, and in place of which; null for no such rules.</summary>
    public Policy? SourcePolicy { get; set; }

    /// <summary>The exporters, in the order asked for.</summary>
    public List<PlannedExport> Exports { get; } = [];

    /// <summary>The image whose parts several nodes push; null where none is, or one node builds all.</summary>
    public JoinedImage? JoinedImage { get; set; }

    /// <summary>Services of the session beyond health, credentials, <see cref="Sources"/> and <see cref="Exports"/>. The plan owns them.</summary>
    public List<ISessionService> Services { get; } = [];

    /// <summary>Further things that the plan owns and that live as long as the build, such as a connection of its own.</summary>
    public List<IAsyncDisposable> Resources { get; } = [];

    /// <summary>What is done on this side once the daemon has succeeded and the outputs are in place, in this order.</summary>
    public List<IAfterSolve> AfterSolve { get; } = [];

    /// <summary>What the user should know before the build, a sentence each.</summary>
    public List<string> Warnings { get; } = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var service in Services)
            await service.DisposeAsync().ConfigureAwait(false);
        foreach (var resource in Resources)
            await resource.DisposeAsync().ConfigureAwait(false);
    }
}
