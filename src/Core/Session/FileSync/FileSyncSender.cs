using System.Runtime.ExceptionServices;
using System.Text;
using System.Threading.Channels;
using BuildKit.Grpc;
using BuildKit.Session.FileSync.Patterns;
using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>
/// One transfer (fsutil <c>Send</c>): a walk that lists the files, a reader of the receiver's requests, and a few workers that answer them, all at once and
/// over one stream. Where upstream sends an empty file for one that it can't read, the transfer fails here.
/// </summary>
internal sealed class FileSyncSender
{
    private const int WorkerCount = 4;
    private const int QueueLength = 128;

    private readonly Channel<uint> _requests = Channel.CreateBounded<uint>(new BoundedChannelOptions(QueueLength) { SingleWriter = true });
    private readonly PacketStream _stream;
    private Exception? _failure;

    private FileSyncSender(PacketStream stream) => _stream = stream;

    /// <summary>
    /// Sends what the filter keeps of a tree, until the receiver has all that it wants. Throws <see cref="BuildContextException"/> and
    /// <see cref="BadPatternException"/> after telling the receiver, and <see cref="RpcException"/> for what the receiver did wrong or complained about.
    /// </summary>
    public static async Task SendAsync(
        FileSyncSource source,
        FileTree tree,
        FileFilter filter,
        IAsyncStreamReader<ReceiverPacket> requestStream,
        IServerStreamWriter<SenderPacket> responseStream,
        CancellationToken cancellationToken)
    {
        using var stream = new PacketStream(responseStream, cancellationToken);
        var failure = await new FileSyncSender(stream).RunAsync(source, tree, filter, requestStream, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (failure is BuildContextException or BadPatternException)
            await stream.SendAsync(new SenderPacket().SetError(Encoding.UTF8.GetBytes(failure.Message)), cancellationToken).ConfigureAwait(false);
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    private async Task<Exception?> RunAsync(
        FileSyncSource source, FileTree tree, FileFilter filter, IAsyncStreamReader<ReceiverPacket> requestStream, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var paths = new PathTable();
        var parts = new List<Task>
        {
            GuardAsync(new FileLister(source, tree, filter, paths, _stream).RunAsync, stopping),
            GuardAsync(token => ReceiveAsync(requestStream, token), stopping),
        };
        for (var i = 0; i < WorkerCount; i++)
            parts.Add(GuardAsync(new FileAnswerer(tree, paths, _requests.Reader, _stream).RunAsync, stopping));
        await Task.WhenAll(parts).ConfigureAwait(false);
        return _failure;
    }

    /// <summary>Runs one part; the first error of any stops them all.</summary>
    private async Task GuardAsync(Func<CancellationToken, Task> part, CancellationTokenSource stopping)
    {
        // The parts may go on for long without ever having to wait, so that each needs a thread of its own to begin with.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await part(stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e is FileTreeException error ? BuildContextException.Unreadable(error) : e, null);
            await stopping.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task ReceiveAsync(IAsyncStreamReader<ReceiverPacket> requestStream, CancellationToken cancellationToken)
    {
        while (await requestStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            var packet = requestStream.Current;
            switch (packet.Type)
            {
                case PacketType.Request:
                    await _requests.Writer.WriteAsync(packet.Id, cancellationToken).ConfigureAwait(false);
                    break;
                case PacketType.Finish:
                    _requests.Writer.Complete();
                    await _stream.SendAsync(new SenderPacket().SetFinish(), cancellationToken).ConfigureAwait(false);
                    return;
                case PacketType.Error:
                    throw new RpcException(new Status(StatusCode.Unknown, $"error from receiver: {packet.Text}"));
            }
        }

        throw new RpcException(new Status(StatusCode.Cancelled, "the receiver ended the transfer before it was complete"));
    }
}
