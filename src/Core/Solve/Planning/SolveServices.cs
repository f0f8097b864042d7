using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Session;
using BuildKit.Session.Auth;
using BuildKit.Session.FileSend;
using BuildKit.Session.FileSync;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>
/// What one build offers the daemon on its session: exactly what the request needs, because the daemon names a missing method to the user as a client's fault.
/// </summary>
internal sealed class SolveServices : IAsyncDisposable
{
    private readonly SolvePlan _plan;
    private readonly Dictionary<int, ExportTarget> _targets;
    private readonly CredentialStore _credentials;
    private readonly AuthService _auth;
    private readonly FileSyncService? _fileSync;
    private readonly FileSendService? _fileSend;

    /// <param name="plan">What to offer; the caller keeps and disposes it.</param>
    /// <param name="dockerConfig">Where the credentials are.</param>
    /// <param name="events">Is told of what is done on this side once the daemon has succeeded.</param>
    public SolveServices(SolvePlan plan, DockerConfigFile dockerConfig, IProgress<SolveEvent> events)
    {
        _plan = plan;
        _targets = ExportTargets.Create(plan.Exports, events);
        _credentials = new CredentialStore(dockerConfig);
        _auth = new AuthService(_credentials);
        var definitions = new List<ServerServiceDefinition> { HealthService.Definition, _auth.Definition };
        if (plan.Sources.Count > 0)
        {
            _fileSync = new FileSyncService(plan.Sources);
            definitions.Add(_fileSync.Definition);
        }
        if (_targets.Count > 0)
        {
            _fileSend = new FileSendService(_targets);
            definitions.Add(_fileSend.Definition);
        }
        definitions.AddRange(plan.Services.Select(service => service.Definition));
        Definitions = definitions;
    }

    public IReadOnlyList<ServerServiceDefinition> Definitions { get; }

    /// <summary>What failed on this side and made the solve fail with this message; null where nothing here did.</summary>
    /// <param name="message">The daemon's message.</param>
    public BuildKitException? FailureBehind(string message)
    {
        if (_fileSync?.Failure is { } context)
            return context;
        if (_fileSend?.Failure is { } export)
            return export;
        if (_plan.Services.Select(service => service.FailureBehind(message)).FirstOrDefault(failure => failure is not null) is { } other)
            return other;
        // The daemon may have gone on without credentials; then something else failed.
        return _auth.Failure is { } auth && message.Contains(auth.Message, StringComparison.Ordinal) ? auth : null;
    }

    /// <summary>The files that an export into a directory has received, by their paths within it; none for any other export.</summary>
    /// <param name="export">The export's index in the plan.</param>
    public IReadOnlyList<string> ReceivedFiles(int export) => (_targets.GetValueOrDefault(export) as DirectoryExportTarget)?.ReceivedFiles() ?? [];

    /// <summary>Puts what was received in place, once the solve has succeeded.</summary>
    /// <returns>One entry an export.</returns>
    public async Task<IReadOnlyList<SolveOutputResult>> CommitAsync(CancellationToken cancellationToken)
    {
        if (_fileSend is not null)
            await _fileSend.CommitAsync(cancellationToken).ConfigureAwait(false);
        return _plan.Exports.Select((export, index) => ToResult(export, _targets.GetValueOrDefault(index))).ToList();
    }

    private static SolveOutputResult ToResult(PlannedExport export, ExportTarget? target) => new(export.Type, export.Destination, target?.BytesWritten)
    {
        LoadedInto = (target as EngineLoadTarget)?.Engine,
        LoadedNames = (target as EngineLoadTarget)?.LoadedNames ?? [],
    };

    public async ValueTask DisposeAsync()
    {
        if (_fileSend is not null)
            await _fileSend.DisposeAsync().ConfigureAwait(false);
        _auth.Dispose();
        _credentials.Dispose();
    }
}
