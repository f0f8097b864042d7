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
        using var reader = tree.CreateReader();
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
                    await SendLargeAsync(id, path, size, reader, batch, cancellationToken).ConfigureAwait(false);
                else
                    AddSmall(id, path, size, reader, batch);
            }

            await stream.SendAsync(batch, cancellationToken).ConfigureAwait(false);
        }
        while (await requests.WaitToReadAsync(cancellationToken).ConfigureAwait(false));
    }

    private void AddSmall(uint id, ReadOnlyMemory<byte> path, long size, FileTreeReader reader, PacketBatch batch)
    {
        if (size == FileLister.SocketSize)
        {
            batch.AddContent(id, 0, isLast: true);
            return;
        }

        reader.Open(path);
        var count = Fill(reader, batch.Free[..((int)size + 1)]);
        reader.Close();
        if (count != size)
            throw BuildContextException.Changed(tree.Display(path.Span), size, count);
        batch.AddContent(id, count, isLast: true);
    }

    private async Task SendLargeAsync(
        uint id, ReadOnlyMemory<byte> path, long size, FileTreeReader reader, PacketBatch batch, CancellationToken cancellationToken)
    {
        reader.Open(path);
        long sent = 0;
        for (var isLast = false; !isLast;)
        {
            var count = Fill(reader, batch.Free);
            sent += count;
            isLast = count < PacketBatch.Capacity;
            if (sent > size || (isLast && sent < size))
                throw BuildContextException.Changed(tree.Display(path.Span), size, sent);
            batch.AddContent(id, count, isLast);
            await stream.SendAsync(batch, cancellationToken).ConfigureAwait(false);
        }

        reader.Close();
    }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    private static int Fill(FileTreeReader reader, Memory<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var count = reader.Read(buffer.Span[filled..]);
            if (count == 0)
                break;
            filled += count;
        }

        return filled;
    }
}
