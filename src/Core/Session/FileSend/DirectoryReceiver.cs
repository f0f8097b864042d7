using System.Text;
using System.Threading.Channels;
using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Session.FileSend;

/// <summary>
/// The receiving half of fsutil's protocol (fsutil receive.go): takes the sequence of STATs, asks for the content of the regular files, writes the DATA, ends with FIN.
/// Files are written on the thread that reads the stream. A regular file has no asynchronous write, a queue between the two would only copy what the connection's
/// flow-control window holds already, and so memory stays bounded by that window.
/// </summary>
internal sealed class DirectoryReceiver
{
    // Upstream asks for everything at once. This many requests keep its 4 senders busy over a slow line, too; it bounds the files that a sender can hold open here,
    // and the requests always fit into the peer's flow-control window.
    private const int RequestWindow = 512;

    private const int NotRequested = -1;

    // How long we try to tell the daemon why we stop, before the call ends anyway.
    private static readonly TimeSpan ErrorGrace = TimeSpan.FromSeconds(2);

    private readonly IAsyncStreamReader<FileSendMessage> _requests;
    private readonly IServerStreamWriter<FileSendReply> _writer;
    private readonly ReceivedTree _tree;
    private readonly Action<long> _countBytes;
    private readonly ExportPathValidator _validator;
    private readonly Dictionary<uint, PendingFile> _pending = [];
    private readonly Queue<uint> _waiting = new();
    private readonly Channel<FileSendReply> _replies = Channel.CreateUnbounded<FileSendReply>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private uint _nextId;
    private int _requested;
    private bool _allAnnounced;
    private bool _finSent;

    public DirectoryReceiver(IAsyncStreamReader<FileSendMessage> requests, IServerStreamWriter<FileSendReply> writer, ReceivedTree tree, Action<long> countBytes)
    {
        _requests = requests;
        _writer = writer;
        _tree = tree;
        _countBytes = countBytes;
        _validator = new ExportPathValidator(tree.Destination);
    }

    public async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // A writer of its own: were requests written between two reads, both sides could wait for each other's window.
        var writing = WriteRepliesAsync(stop.Token);
        try
        {
            await ReadAsync(cancellationToken).ConfigureAwait(false);
            _replies.Writer.Complete();
            await writing.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (e is ExportException)
                _replies.Writer.TryWrite(FileSendReply.Failure(e.Message));
            _replies.Writer.TryComplete();
            stop.CancelAfter(ErrorGrace);
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        finally
        {
            foreach (var file in _pending.Values)
                file.Handle?.Dispose();
        }
    }

    private async Task WriteRepliesAsync(CancellationToken cancellationToken)
    {
        await foreach (var reply in _replies.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            await _writer.WriteAsync(reply, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        while (await _requests.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            using var message = _requests.Current;
            if (Handle(message.Memory.Span))
                return;
            if (_allAnnounced && _pending.Count == 0 && !_finSent)
            {
                _tree.Complete();
                _finSent = true;
                _replies.Writer.TryWrite(FileSendReply.Fin);
            }
        }
        // After our FIN nothing is missing any more, so that the end without the sender's FIN is none of our concern.
        if (!_finSent)
            throw ExportErrors.Protocol(_tree.Destination, "it ended the transfer before everything was sent");
    }

    // True at the end. The daemon does not close its half of the stream after FIN (buildkit session/filesync/diffcopy_unix.go), so nothing may be waited for then.
    private bool Handle(ReadOnlySpan<byte> message)
    {
        try
        {
            var packet = ReceivedPacket.Parse(message);
            switch (packet.Type)
            {
                case Packet.Types.PacketType.PacketStat when _allAnnounced:
                    throw ExportErrors.Protocol(_tree.Destination, "it sent another entry after the last one");
                case Packet.Types.PacketType.PacketStat when packet.HasStat:
                    Announce(ReceivedStat.Parse(packet.Stat));
                    return false;
                case Packet.Types.PacketType.PacketStat:
                    _allAnnounced = true;
                    return false;
                case Packet.Types.PacketType.PacketData:
                    Write(packet.Id, packet.Data);
                    return false;
                case Packet.Types.PacketType.PacketFin when _finSent:
                    return true;
                case Packet.Types.PacketType.PacketErr:
                    // The daemon's own failure, which its answer to the solve explains better.
                    throw new RpcException(new Status(StatusCode.Aborted, $"error from sender: {Encoding.UTF8.GetString(packet.Data)}"));
                default:
                    throw ExportErrors.Protocol(_tree.Destination, $"a packet of type {(int)packet.Type} was not expected here");
            }
        }
        catch (FormatException e)
        {
            throw ExportErrors.Protocol(_tree.Destination, e.Message);
        }
    }

    private void Announce(in ReceivedStat stat)
    {
        var id = _nextId++;
        var type = stat.Metadata.Mode & GoFileMode.TypeMask;
        var path = _validator.Next(stat.Path, type == GoFileMode.Directory);
        switch (type)
        {
            case GoFileMode.Directory:
                _tree.AddDirectory(path, stat.Metadata);
                break;
            case GoFileMode.Symlink:
                _tree.AddSymbolicLink(path, Encoding.UTF8.GetString(stat.Linkname), stat.Metadata);
                break;
            case GoFileMode.NamedPipe:
            case GoFileMode.Device:
            case GoFileMode.Device | GoFileMode.CharDevice:
                _tree.AddSpecial(path, stat);
                break;
            case 0 when !stat.Linkname.IsEmpty:
                _tree.AddHardLink(path, _validator.CheckLink(stat.Path, stat.Linkname));
                break;
            case 0 when stat.Size >= 0:
                _pending.Add(id, new PendingFile(path, stat.Size, stat.Metadata));
                _waiting.Enqueue(id);
                RequestMore();
                break;
            default:
                throw ExportErrors.Protocol(_tree.Destination, $"the entry {ExportErrors.Quote(path)} has the impossible mode 0x{stat.Metadata.Mode:x} or size {stat.Size}");
        }
    }

    private void RequestMore()
    {
        while (_requested < RequestWindow && _waiting.TryDequeue(out var id))
        {
            _requested++;
            _pending[id].Written = 0;
            _replies.Writer.TryWrite(FileSendReply.Request(id));
        }
    }

    private void Write(uint id, ReadOnlySpan<byte> data)
    {
        if (!_pending.TryGetValue(id, out var file) || file.Written == NotRequested)
            throw ExportErrors.Protocol(_tree.Destination, $"it sent the content of a file that was not asked for (id {id})");
        if (file.Handle is null)
        {
            file.FullPath = _tree.PathOf(file.Path);
            file.Handle = ExportFileSystem.CreateFile(file.FullPath);
        }
        if (data.IsEmpty)
        {
            if (file.Written != file.Size)
                throw ExportErrors.Protocol(_tree.Destination, $"{ExportErrors.Quote(file.Path)} has {file.Written} bytes instead of {file.Size}; the daemon could not read it");
            ExportFileSystem.FinishFile(file.Handle, file.FullPath, file.Metadata);
            _pending.Remove(id);
            _requested--;
            RequestMore();
            return;
        }
        if (data.Length > file.Size - file.Written)
            throw ExportErrors.Protocol(_tree.Destination, $"{ExportErrors.Quote(file.Path)} has more than the {file.Size} bytes that were announced");
        ExportFileSystem.Write(file.Handle, data, file.Written, file.FullPath);
        file.Written += data.Length;
        _countBytes(data.Length);
    }

    /// <summary>A regular file whose content has not arrived yet.</summary>
    private sealed class PendingFile(string path, long size, EntryMetadata metadata)
    {
        public string Path { get; } = path;

        public long Size { get; } = size;

        public EntryMetadata Metadata { get; } = metadata;

        public long Written { get; set; } = NotRequested;

        public EntryPath FullPath { get; set; }

        public SafeFileHandle? Handle { get; set; }
    }
}
