using System.Globalization;
using BuildKit.Grpc;

namespace BuildKit.Session.FileSend;

/// <summary>
/// <c>moby.filesync.v1.FileSend</c>: what the daemon's exporters send to us (buildkit session/filesync/filesync.go). Owns its targets:
/// <see cref="CommitAsync"/> after the solve succeeded puts everything into place, <see cref="DisposeAsync"/> removes what is not.
/// </summary>
internal sealed class FileSendService : IAsyncDisposable
{
    private const string ExporterIdKey = "buildkit-attachable-exporter-id";
    private const string ExporterMetadataPrefix = "exporter-md-";

    private static readonly Method<FileSendMessage, FileSendReply> DiffCopyMethod =
        new(MethodType.DuplexStreaming, "moby.filesync.v1.FileSend", "DiffCopy", FileSendMessage.Marshaller, FileSendReply.Marshaller);

    private readonly IReadOnlyDictionary<int, ExportTarget> _targets;
    private ExportException? _failure;

    /// <param name="targets">By exporter id, the exporter's index in the solve request.</param>
    public FileSendService(IReadOnlyDictionary<int, ExportTarget> targets)
    {
        _targets = targets;
        Definition = new ServerServiceDefinition().AddMethod(DiffCopyMethod, DiffCopyAsync);
    }

    public ServerServiceDefinition Definition { get; }

    /// <summary>
    /// What failed first on this side, or null. The daemon's answer to the solve is an echo of it then; this is the error to show.
    /// </summary>
    public ExportException? Failure => Volatile.Read(ref _failure);

    /// <summary>Puts all outputs into place, in the order of their exporters.</summary>
    /// <exception cref="ExportException">One is incomplete or can't be put into place; those after it are not.</exception>
    public async ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        if (Failure is { } failure)
            throw failure;
        foreach (var (_, target) in _targets.OrderBy(static pair => pair.Key))
            await target.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends running transfers and removes every output that is not in place.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var target in _targets.Values)
            await target.DisposeAsync().ConfigureAwait(false);
    }

    private async Task DiffCopyAsync(IAsyncStreamReader<FileSendMessage> requests, IServerStreamWriter<FileSendReply> replies, ServerCallContext context)
    {
        try
        {
            var target = Choose(context.RequestHeaders);
            await target.ReceiveAsync(requests, replies, ReadMetadata(context.RequestHeaders), context.CancellationToken).ConfigureAwait(false);
        }
        catch (ExportException e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            throw new RpcException(new Status(ToStatusCode(e), e.Message), innerException: e);
        }
    }

    // Daemons before several exporters were possible name none; upstream reads a missing or unreadable id as 0.
    private ExportTarget Choose(Metadata headers)
    {
        var given = headers.GetValue(ExporterIdKey);
        if (!int.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id))
        {
            if (_targets.Count == 1)
                return _targets.Values.First();
            id = 0;
        }
        return _targets.TryGetValue(id, out var target)
            ? target
            : throw new RpcException(new Status(StatusCode.NotFound, $"exporter {id} not found"));
    }

    private static Dictionary<string, string> ReadMetadata(Metadata headers) => headers
        .Where(static entry => !entry.IsBinary && entry.Key.StartsWith(ExporterMetadataPrefix, StringComparison.Ordinal))
        .GroupBy(static entry => entry.Key[ExporterMetadataPrefix.Length..], static entry => entry.Value)
        .ToDictionary(static group => group.Key, static group => string.Join(',', group), StringComparer.Ordinal);

    private static StatusCode ToStatusCode(ExportException exception) => exception.ErrorId switch
    {
        "BuildKit.OutputDiskFull" => StatusCode.ResourceExhausted,
        "BuildKit.OutputDenied" => StatusCode.PermissionDenied,
        "BuildKit.OutputUnsafePath" or "BuildKit.OutputProtocolViolation" => StatusCode.InvalidArgument,
        "BuildKit.OutputUnsupported" => StatusCode.Unimplemented,
        _ => StatusCode.Internal,
    };
}
