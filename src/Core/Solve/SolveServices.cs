using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Session;
using BuildKit.Session.Auth;
using BuildKit.Session.FileSend;
using BuildKit.Session.FileSync;

namespace BuildKit.Solve;

/// <summary>
/// What one build offers the daemon on its session: exactly what the request needs, because the daemon names a missing method to the user as a client's fault.
/// </summary>
internal sealed class SolveServices : IAsyncDisposable
{
    private readonly IReadOnlyList<PlannedExport> _exports;
    private readonly Dictionary<int, ExportTarget> _targets;
    private readonly CredentialStore _credentials;
    private readonly AuthService _auth;
    private readonly FileSyncService? _fileSync;
    private readonly FileSendService? _fileSend;

    private SolveServices(FrontendPlan frontend, IReadOnlyList<PlannedExport> exports, DockerConfigFile dockerConfig)
    {
        _exports = exports;
        _targets = Targets(exports);
        _credentials = new CredentialStore(dockerConfig);
        _auth = new AuthService(_credentials);
        var definitions = new List<ServerServiceDefinition> { HealthService.Definition, _auth.Definition };
        if (frontend.Sources.Count > 0)
        {
            _fileSync = new FileSyncService(frontend.Sources);
            definitions.Add(_fileSync.Definition);
        }
        if (_targets.Count > 0)
        {
            _fileSend = new FileSendService(_targets);
            definitions.Add(_fileSend.Definition);
        }
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
        // The daemon may have gone on without credentials; then something else failed.
        return _auth.Failure is { } auth && message.Contains(auth.Message, StringComparison.Ordinal) ? auth : null;
    }

    public static async Task<SolveServices> CreateAsync(FrontendPlan frontend, IReadOnlyList<PlannedExport> exports, CancellationToken cancellationToken)
    {
        var config = await DockerConfigFile.LoadAsync(cancellationToken).ConfigureAwait(false);
        return new SolveServices(frontend, exports, config);
    }

    /// <summary>Puts what was received in place, once the solve has succeeded.</summary>
    /// <returns>One entry an export.</returns>
    public async Task<IReadOnlyList<SolveOutputResult>> CommitAsync(CancellationToken cancellationToken)
    {
        if (_fileSend is not null)
            await _fileSend.CommitAsync(cancellationToken).ConfigureAwait(false);
        return _exports
            .Select((export, index) => new SolveOutputResult(
                export.Type, export.Destination, _targets.TryGetValue(index, out var target) ? target.BytesWritten : null))
            .ToList();
    }

    public async ValueTask DisposeAsync()
    {
        if (_fileSend is not null)
            await _fileSend.DisposeAsync().ConfigureAwait(false);
        _auth.Dispose();
        _credentials.Dispose();
    }

    private static Dictionary<int, ExportTarget> Targets(IReadOnlyList<PlannedExport> exports)
    {
        var targets = new Dictionary<int, ExportTarget>();
        for (var index = 0; index < exports.Count; index++)
        {
            var export = exports[index];
            if (export.DestinationKind == ExporterDestination.Directory)
                targets[index] = new DirectoryExportTarget(export.Destination!);
            else if (export.DestinationKind == ExporterDestination.File)
                targets[index] = new FileExportTarget(export.Destination!);
        }
        return targets;
    }
}
