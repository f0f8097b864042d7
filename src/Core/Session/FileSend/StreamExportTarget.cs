using BuildKit.Grpc;

namespace BuildKit.Session.FileSend;

/// <summary>
/// A stream of the caller as the destination of a <c>tar</c>, <c>oci</c> or <c>docker</c> exporter. Bytes go there as they come, so there is nothing to put into place and nothing to take back;
/// the caller owns the stream and closes it.
/// </summary>
internal sealed class StreamExportTarget(Stream stream, string description) : ExportTarget(description)
{
    private int _calls;
    private volatile bool _complete;

    public override async ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        if (!_complete)
            throw ExportErrors.Incomplete(Destination, "the daemon said that the build succeeded, but did not send everything");
        try
        {
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.From(e, Destination);
        }
    }

    protected override async Task ReceiveCoreAsync(
        IAsyncStreamReader<FileSendMessage> requests, IServerStreamWriter<FileSendReply> replies, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _calls) != 1)
            throw ExportErrors.Protocol(Destination, "it sent the same output twice");
        await BytesReceiver.ReceiveAsync(requests, Destination, WriteAsync, cancellationToken).ConfigureAwait(false);
        _complete = true;
    }

    protected override ValueTask CleanUpAsync() => ValueTask.CompletedTask;

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.From(e, Destination);
        }
        CountBytes(data.Length);
    }
}
