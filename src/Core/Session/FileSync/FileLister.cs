using System.Text.Unicode;
using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>Tells the receiver which files there are, in batches, and notes under which id it may ask for them.</summary>
internal sealed class FileLister(FileSyncSource source, FileTree tree, FileFilter filter, PathTable paths, PacketStream stream)
{
    /// <summary>The size in the table of a socket, which is an empty file to the receiver and can't be opened.</summary>
    public const long SocketSize = -1;

    // The receiver is not kept waiting for a slow walk.
    private const int MaxDelayMilliseconds = 20;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var walk = new FilteredWalk(tree, filter);
        using var batch = new PacketBatch();
        var packet = new SenderPacket();
        var sent = Environment.TickCount64;
        while (walk.MoveNext())
        {
            var stat = walk.Current;
            Prepare(stat);
            // Before it is sent, as the request may come at once. The index in this table is the id.
            if (stat.HasContent)
                paths.Add(stat.Path, stat.IsSocket ? SocketSize : stat.Size);
            else
                paths.Skip();

            var added = batch.TryAddStat(stat);
            if (added && Environment.TickCount64 - sent < MaxDelayMilliseconds)
                continue;
            await stream.SendAsync(batch, cancellationToken).ConfigureAwait(false);
            if (!added && !batch.TryAddStat(stat))
                await stream.SendAsync(packet.SetStat(stat), cancellationToken).ConfigureAwait(false);
            sent = Environment.TickCount64;
        }

        await stream.SendAsync(batch, cancellationToken).ConfigureAwait(false);
        await stream.SendAsync(packet.SetStat(null), cancellationToken).ConfigureAwait(false);
    }

    private void Prepare(FileStat stat)
    {
        if (!source.KeepOwner)
            stat.Uid = stat.Gid = 0;
        if (source.AllowNonUtf8Names)
            return;
        if (!Utf8.IsValid(stat.Path))
            throw BuildContextException.NameInvalid(tree.Display(stat.Path), "The name");
        if (!Utf8.IsValid(stat.LinkName))
            throw BuildContextException.NameInvalid(tree.Display(stat.Path), "The target of the symbolic link");
        foreach (var (name, _) in stat.Xattrs)
            if (!Utf8.IsValid(name))
                throw BuildContextException.NameInvalid(tree.Display(stat.Path), "The name of an extended attribute");
    }
}
