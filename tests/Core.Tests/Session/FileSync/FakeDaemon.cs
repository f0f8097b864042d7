using System.Buffers;
using System.Threading.Channels;
using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using BuildKit.Session.FileSync;
using Google.Protobuf;

namespace BuildKit.Tests.Session.FileSync;

/// <summary>
/// A receiver: it calls the service as the daemon does, reads the packets with the generated class, checks what fsutil's receiver checks, and
/// asks for the content of files.
/// </summary>
internal sealed class FakeDaemon : IServerStreamWriter<SenderPacket>, IAsyncStreamReader<ReceiverPacket>
{
    private readonly Channel<ReceiverPacket> _requests = Channel.CreateUnbounded<ReceiverPacket>();
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly HashSet<uint> _waitingFor = [];
    private int _writing;
    private bool _listed;

    /// <summary>Called with every packet after it was taken in.</summary>
    public Action<Packet>? Received { get; init; }

    /// <summary>Which files to ask for; every one if not set.</summary>
    public Func<Stat, bool> Wants { get; init; } = _ => true;

    /// <summary>Whether requests are made at once rather than at the end of the list.</summary>
    public bool Eager { get; init; } = true;

    public List<Stat> Stats { get; } = [];

    public Dictionary<uint, MemoryStream> Content { get; } = [];

    public List<string> Errors { get; } = [];

    public bool Finished { get; private set; }

    public int LargestData { get; private set; }

    public ReceiverPacket Current { get; private set; }

    public IEnumerable<string> Paths => Stats.Select(stat => stat.Path);

    public byte[] ContentOf(string path) => Content[(uint)Stats.FindIndex(stat => stat.Path == path)].ToArray();

    public Task CallAsync(
        FileSyncService service, string? name = "context", CancellationToken cancellationToken = default, params (string Key, string Value)[] metadata)
    {
        var headers = new Metadata();
        if (name is not null)
            headers.Add("dir-name", name);
        foreach (var (key, value) in metadata)
            headers.Add(key, value);
        var visitor = new Visitor(this, new CallContext(headers, cancellationToken));
        var method = service.Definition.Methods["/moby.filesync.v1.FileSync/DiffCopy"];
        return method.DispatchAsync(visitor).WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
    }

    /// <summary>Sends a packet of the daemon's, through bytes.</summary>
    public void Send(Packet packet) => _requests.Writer.TryWrite(PacketMarshallers.Receiver.Deserializer(new ReadOnlySequence<byte>(packet.ToByteArray())));

    public void End() => _requests.Writer.TryComplete();

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await _requests.Reader.WaitToReadAsync(cancellationToken))
            return false;
        Current = await _requests.Reader.ReadAsync(cancellationToken);
        return true;
    }

    public async ValueTask WriteAsync(SenderPacket message, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _writing, 1) != 0)
            throw new InvalidOperationException("two writes at a time");
        cancellationToken.ThrowIfCancellationRequested();
        if (Random.Shared.Next(20) == 0)
            await Task.Yield();
        _buffer.ResetWrittenCount();
        PacketMarshallers.Sender.Serializer(message, _buffer);
        if (_buffer.WrittenCount != PacketMarshallers.Sender.Size(message))
            throw new InvalidOperationException("the size was not that of the message");
        var packet = Packet.Parser.ParseFrom(_buffer.WrittenSpan);
        Take(packet);
        Received?.Invoke(packet);
        Volatile.Write(ref _writing, 0);
    }

    private void Take(Packet packet)
    {
        switch (packet.Type)
        {
            case Packet.Types.PacketType.PacketStat when packet.Stat is null:
                _listed = true;
                if (!Eager)
                    for (var id = 0; id < Stats.Count; id++)
                        Request((uint)id);
                break;
            case Packet.Types.PacketType.PacketStat:
                Stats.Add(packet.Stat);
                if (Eager)
                    Request((uint)Stats.Count - 1);
                break;
            case Packet.Types.PacketType.PacketData when packet.Data.IsEmpty:
                if (!_waitingFor.Remove(packet.ID))
                    throw new InvalidOperationException($"file {packet.ID} ended without having been asked for");
                break;
            case Packet.Types.PacketType.PacketData:
                Content[packet.ID].Write(packet.Data.Span);
                LargestData = Math.Max(LargestData, packet.Data.Length);
                break;
            case Packet.Types.PacketType.PacketErr:
                Errors.Add(packet.Data.ToStringUtf8());
                break;
            case Packet.Types.PacketType.PacketFin:
                Finished = true;
                break;
        }

        if (_listed && _waitingFor.Count == 0 && packet.Type is Packet.Types.PacketType.PacketStat or Packet.Types.PacketType.PacketData)
            Send(new Packet { Type = Packet.Types.PacketType.PacketFin });
    }

    private void Request(uint id)
    {
        var stat = Stats[(int)id];
        // Go's os.ModeType: everything that is no regular file.
        if ((stat.Mode & 0x8F280000) != 0 || stat.Linkname.Length > 0 || !Wants(stat))
            return;
        _waitingFor.Add(id);
        Content[id] = new MemoryStream();
        Send(new Packet { Type = Packet.Types.PacketType.PacketReq, ID = id });
    }

    private sealed class Visitor(FakeDaemon daemon, ServerCallContext context) : IServerMethodVisitor
    {
        public Task VisitAsync<TRequest, TResponse>(ServerMethod<TRequest, TResponse> method) =>
            ((ServerMethod<ReceiverPacket, SenderPacket>)(object)method).DuplexStreaming!(daemon, daemon, context);
    }

    private sealed class CallContext(Metadata headers, CancellationToken cancellationToken) : ServerCallContext
    {
        public override string Method => "/moby.filesync.v1.FileSync/DiffCopy";

        public override Metadata RequestHeaders => headers;

        public override DateTime Deadline => DateTime.MaxValue;

        public override CancellationToken CancellationToken => cancellationToken;

        public override Task WriteResponseHeadersAsync(Metadata responseHeaders) => Task.CompletedTask;
    }
}
