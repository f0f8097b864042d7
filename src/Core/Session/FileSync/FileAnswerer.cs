using System.Threading.Channels;
using BuildKit.Grpc;
using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>One of the workers that send the content of the files that the receiver asks for: several small ones together, a large one in pieces.</summary>
internal sealed class FileAnswerer(FileTree tree, PathTable paths, ChannelReader<uint> requests, PacketStream stream)
{
    // So that the other workers are left something to do.
    private const int MaxFilesPerBatch = 32;

    private byte[] _path = new byte[256];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!await requests.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            return;
        using var batch = new PacketBatch();
        do
        {
            var files = 0;
            while (files++ < MaxFilesPerBatch && requests.TryRead(out var id))
            {
                if (!paths.TryTake(id, ref _path, out var pathLength, out var size))
                    throw new RpcException(new Status(StatusCode.InvalidArgument, $"invalid file id {id}"));
                var path = _path.AsMemory(0, pathLength);
                // One byte more, to notice a file that has grown.
                if (size >= batch.Free.Length)
                    await stream.SendAsync(batch, cancellationToken).ConfigureAwait(false);
                if (size >= batch.Free.Length)
                    await SendLargeAsync(id, path, size, batch, cancellationToken).ConfigureAwait(false);
                else
                    AddSmall(id, path, size, batch);
            }

            await stream.SendAsync(batch, cancellationToken).ConfigureAwait(false);
        }
        while (await requests.WaitToReadAsync(cancellationToken).ConfigureAwait(false));
    }

    private void AddSmall(uint id, ReadOnlyMemory<byte> path, long size, PacketBatch batch)
    {
        if (size == FileLister.SocketSize)
        {
            batch.AddContent(id, 0, isLast: true);
            return;
        }

        using var file = tree.Open(path.Span);
        var count = Fill(file, batch.Free[..((int)size + 1)]);
        if (count != size)
            throw BuildContextException.Changed(tree.Display(path.Span), size, count);
        batch.AddContent(id, count, isLast: true);
    }

    private async Task SendLargeAsync(uint id, ReadOnlyMemory<byte> path, long size, PacketBatch batch, CancellationToken cancellationToken)
    {
        using var file = tree.Open(path.Span);
        long sent = 0;
        for (var isLast = false; !isLast;)
        {
            var count = Fill(file, batch.Free);
            sent += count;
            isLast = count < PacketBatch.Capacity;
            if (sent > size || (isLast && sent < size))
                throw BuildContextException.Changed(tree.Display(path.Span), size, sent);
            batch.AddContent(id, count, isLast);
            await stream.SendAsync(batch, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    private static int Fill(FileTreeReader file, Memory<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var count = file.Read(buffer.Span[filled..]);
            if (count == 0)
                break;
            filled += count;
        }

        return filled;
    }
}
