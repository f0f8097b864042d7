using System.Buffers;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Unicode;
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
    /// <summary>How much of a file goes into one packet.</summary>
    internal const int ChunkLength = 64 * 1024;

    private const int WorkerCount = 4;
    private const int QueueLength = 128;
    private const long Socket = -1;

    private readonly FileSyncSource _source;
    private readonly FileTree _tree;
    private readonly FileFilter _filter;
    private readonly PacketStream _stream;
    private readonly PathTable _paths = new();
    private readonly Channel<uint> _requests = Channel.CreateBounded<uint>(new BoundedChannelOptions(QueueLength) { SingleWriter = true });
    private Exception? _failure;

    private FileSyncSender(FileSyncSource source, FileTree tree, FileFilter filter, PacketStream stream)
    {
        _source = source;
        _tree = tree;
        _filter = filter;
        _stream = stream;
    }

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
        var failure = await new FileSyncSender(source, tree, filter, stream).RunAsync(requestStream, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (failure is BuildContextException or BadPatternException)
            await stream.SendAsync(new SenderPacket().SetError(Encoding.UTF8.GetBytes(failure.Message)), cancellationToken).ConfigureAwait(false);
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    private async Task<Exception?> RunAsync(IAsyncStreamReader<ReceiverPacket> requestStream, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var parts = new List<Task> { GuardAsync(WalkAsync, stopping), GuardAsync(token => ReceiveAsync(requestStream, token), stopping) };
        for (var i = 0; i < WorkerCount; i++)
            parts.Add(GuardAsync(AnswerAsync, stopping));
        await Task.WhenAll(parts).ConfigureAwait(false);
        return _failure;
    }

    /// <summary>Runs one part; the first error of any stops them all.</summary>
    private async Task GuardAsync(Func<CancellationToken, Task> part, CancellationTokenSource stopping)
    {
        // The parts read files and write to the stream without ever waiting as long as there is room for their output: each needs a thread of its own to begin with.
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

    private async Task WalkAsync(CancellationToken cancellationToken)
    {
        var packet = new SenderPacket();
        using var walk = new FilteredWalk(_tree, _filter);
        while (walk.MoveNext())
        {
            var stat = walk.Current;
            CheckNames(stat);
            if (!_source.KeepOwner)
                stat.Uid = stat.Gid = 0;
            // Before it is sent, as the request may come at once. The index in this table is the id.
            if (stat.HasContent)
                _paths.Add(stat.Path, stat.IsSocket ? Socket : stat.Size);
            else
                _paths.Skip();
            await _stream.SendAsync(packet.SetStat(stat), cancellationToken).ConfigureAwait(false);
        }

        await _stream.SendAsync(packet.SetStat(null), cancellationToken).ConfigureAwait(false);
    }

    private void CheckNames(FileStat stat)
    {
        if (_source.AllowNonUtf8Names)
            return;
        if (!Utf8.IsValid(stat.Path))
            throw BuildContextException.NameInvalid(_tree.Display(stat.Path), "The name");
        if (!Utf8.IsValid(stat.LinkName))
            throw BuildContextException.NameInvalid(_tree.Display(stat.Path), "The target of the symbolic link");
        foreach (var (name, _) in stat.Xattrs)
            if (!Utf8.IsValid(name))
                throw BuildContextException.NameInvalid(_tree.Display(stat.Path), "The name of an extended attribute");
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

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        var answer = new SenderPacket();
        var path = new byte[256];
        byte[]? buffer = null;
        try
        {
            while (await _requests.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (_requests.Reader.TryRead(out var id))
                {
                    if (!_paths.TryTake(id, ref path, out var pathLength, out var size))
                        throw new RpcException(new Status(StatusCode.InvalidArgument, $"invalid file id {id}"));
                    buffer ??= ArrayPool<byte>.Shared.Rent(ChunkLength);
                    if (size == Socket)
                        await _stream.SendAsync(answer.SetData(id, default), cancellationToken).ConfigureAwait(false);
                    else
                        await SendFileAsync(answer, id, path.AsMemory(0, pathLength), size, buffer, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            if (buffer is not null)
                ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task SendFileAsync(SenderPacket packet, uint id, ReadOnlyMemory<byte> path, long size, byte[] buffer, CancellationToken cancellationToken)
    {
        using var file = _tree.Open(path.Span);
        long sent = 0;
        while (true)
        {
            var count = Fill(file, buffer);
            sent += count;
            var isLast = count < ChunkLength;
            if (sent > size || (isLast && sent < size))
                throw BuildContextException.Changed(_tree.Display(path.Span), size, sent);
            if (isLast)
            {
                await _stream.SendLastAsync(packet, id, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                return;
            }

            await _stream.SendAsync(packet.SetData(id, buffer.AsMemory(0, count)), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a whole chunk, or what is left.</summary>
    private static int Fill(FileTreeReader file, byte[] buffer)
    {
        var filled = 0;
        while (filled < ChunkLength)
        {
            var count = file.Read(buffer.AsSpan(filled, ChunkLength - filled));
            if (count == 0)
                break;
            filled += count;
        }

        return filled;
    }
}
