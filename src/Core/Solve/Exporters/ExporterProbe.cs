using System.Text;
using BuildKit.Builders;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Session;
using BuildKit.Session.FileSend;
using BuildKit.Session.FileSync;

namespace BuildKit.Solve.Exporters;

/// <summary>
/// Asks a daemon to export one small file, in every way that <see cref="ExporterTable"/> has for it. Nothing stays: images get no name and are not stored,
/// bytes are counted and thrown away, and the build is internal, so that the history does not know it.
/// </summary>
public static class ExporterProbe
{
    private const string FileName = "Dockerfile";

    private static readonly Dictionary<string, ReadOnlyMemory<byte>> Files = new() { [FileName] = Encoding.UTF8.GetBytes($"FROM scratch\nCOPY {FileName} /\n") };

    /// <summary>Proves outputs.</summary>
    /// <param name="connection">The daemon.</param>
    /// <param name="exporters">The outputs, from <see cref="BuildKitExporter.List(BuildKitConnection)"/> with the same daemon.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The outputs with <see cref="BuildKitExporter.Probed"/> and <see cref="BuildKitExporter.ProbeError"/>.</returns>
    /// <exception cref="BuildKitException">The connection broke.</exception>
    public static async Task<IReadOnlyList<BuildKitExporter>> RunAsync(
        BuildKitConnection connection, IEnumerable<BuildKitExporter> exporters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(exporters);
        var probed = new List<BuildKitExporter>();
        foreach (var exporter in exporters)
        {
            var question = ExporterQuestion.For(exporter.Row);
            var (result, error) = question.Judge(await AskAsync(connection, question, exporter.Row.Daemon, cancellationToken).ConfigureAwait(false));
            probed.Add(exporter with { Probed = result, ProbeError = error });
        }
        return probed;
    }

    /// <summary>Puts one question to a daemon.</summary>
    internal static async Task<ExporterAnswer> AskAsync(BuildKitConnection connection, ExporterQuestion question, DaemonStore daemon, CancellationToken cancellationToken)
    {
        // The same files with the same times each time: the daemon's cache keeps them once.
        var files = new FileSyncService([FileSyncSource.FromFiles("context", Files, DateTimeOffset.UnixEpoch), FileSyncSource.FromFiles("dockerfile", Files, DateTimeOffset.UnixEpoch)]);
        var targets = new Dictionary<int, ExportTarget>();
        if (CreateTarget(question.Destination) is { } target)
            targets[0] = target;
        await using var fileSend = new FileSendService(targets);
        var session = await BuildSession.OpenAsync(connection, "probe", string.Empty, [HealthService.Definition, files.Definition, fileSend.Definition], cancellationToken)
            .ConfigureAwait(false);
        var message = new Protocol.Control.SolveRequest
        {
            Ref = Identifier.New(),
            Session = session.Id,
            Frontend = "dockerfile.v0",
            FrontendAttrs = { ["filename"] = FileName },
            Cache = new CacheOptions(),
            Internal = true,
        };
        if (question.Platforms is not null)
            message.FrontendAttrs["platform"] = question.Platforms;
        if (question.WireName is not null)
        {
            message.Exporters.Add(new Exporter { Type = question.WireName, Attrs = { question.Attributes } });
            message.ExporterDeprecated = question.WireName;
            message.ExporterAttrsDeprecated.Add(question.Attributes);
        }
        await using (session.ConfigureAwait(false))
        {
            try
            {
                await new ControlClient(connection.Invoker).SolveAsync(message, cancellationToken).ConfigureAwait(false);
                return new ExporterAnswer(null, targets.Values.Sum(received => received.BytesWritten));
            }
            catch (RpcException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (e.StatusCode == StatusCode.Unavailable)
                    throw SolveErrorReader.Read(e, new SolveJournal(), message.Ref, connection.Name, daemon);
                return new ExporterAnswer(e.Status.Detail, 0);
            }
        }
    }

    private static ExportTarget? CreateTarget(ExporterDestination destination) => destination switch
    {
        // Never committed, so that it is removed again.
        ExporterDestination.Directory => new DirectoryExportTarget(Path.Combine(Path.GetTempPath(), $"buildkit-probe-{Identifier.New()}")),
        ExporterDestination.File or ExporterDestination.Engine => new StreamExportTarget(Stream.Null, "the probe"),
        _ => null,
    };
}
