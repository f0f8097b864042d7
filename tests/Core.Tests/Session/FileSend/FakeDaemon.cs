using System.Buffers;
using System.Threading.Channels;
using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using BuildKit.Session.FileSend;
using Google.Protobuf;

namespace BuildKit.Tests.Session.FileSend;

/// <summary>The daemon's side of one <c>FileSend/DiffCopy</c> call, without a network: what the test sends goes to the handler, what the handler answers can be read.</summary>
internal sealed class FakeDaemon : IAsyncStreamReader<FileSendMessage>, IServerStreamWriter<FileSendReply>
{
    private readonly Channel<FileSendMessage> _toUs = Channel.CreateBounded<FileSendMessage>(64);
    private readonly Channel<FileSendReply> _fromUs = Channel.CreateUnbounded<FileSendReply>();
    private readonly TaskCompletionSource _reset = new();
    private uint _nextId;

    public FakeDaemon(FileSendService service, params (string Key, string Value)[] headers)
    {
        var method = (ServerMethod<FileSendMessage, FileSendReply>)service.Definition.Methods["/moby.filesync.v1.FileSend/DiffCopy"];
        var metadata = new Metadata();
        foreach (var (key, value) in headers)
            metadata.Add(key, value);
        Call = RunAsync(method.DuplexStreaming!, metadata);
    }

    /// <summary>Ends as the handler ends.</summary>
    public Task Call { get; }

    public FileSendMessage Current { get; private set; }

    public ChannelReader<FileSendReply> Replies => _fromUs.Reader;

    async Task<bool> IAsyncStreamReader<FileSendMessage>.MoveNext(CancellationToken cancellationToken)
    {
        if (!await _toUs.Reader.WaitToReadAsync(cancellationToken) || !_toUs.Reader.TryRead(out var message))
            return false;
        Current = message;
        return true;
    }

    ValueTask IAsyncStreamWriter<FileSendReply>.WriteAsync(FileSendReply message, CancellationToken cancellationToken) => _fromUs.Writer.WriteAsync(message, cancellationToken);

    public Task SendAsync(IMessage message) => SendRawAsync(message.ToByteArray());

    public async Task SendRawAsync(byte[] message)
    {
        var raw = FileSendMessage.Copy(new ReadOnlySequence<byte>(message));
        // A handler that has ended takes nothing any more; then there is nobody to wait for.
        var write = _toUs.Writer.WriteAsync(raw).AsTask();
        await Task.WhenAny(write, Call).WaitAsync(Poll.Patience);
    }

    public async Task<uint> StatAsync(Stat stat)
    {
        await SendAsync(new Packet { Type = Packet.Types.PacketType.PacketStat, Stat = stat });
        return _nextId++;
    }

    public Task EndStatsAsync() => SendAsync(new Packet { Type = Packet.Types.PacketType.PacketStat });

    public Task DataAsync(uint id, byte[] data) => SendAsync(new Packet { Type = Packet.Types.PacketType.PacketData, ID = id, Data = UnsafeByteOperations.UnsafeWrap(data) });

    public Task FinAsync() => SendAsync(new Packet { Type = Packet.Types.PacketType.PacketFin });

    public void EndStream() => _toUs.Writer.TryComplete();

    public void Reset() => _reset.TrySetResult();

    public async Task<FileSendReply> ReplyAsync() => await _fromUs.Reader.ReadAsync().AsTask().WaitAsync(Poll.Patience);

    /// <summary>Sends a tree as fsutil's sender does: the entries, then what is asked for, then FIN for FIN. Returns when the handler has ended.</summary>
    public async Task SendTreeAsync(IReadOnlyList<(Stat Stat, byte[]? Content)> entries)
    {
        var announcing = AnnounceAsync();
        await foreach (var reply in _fromUs.Reader.ReadAllAsync())
        {
            if (reply.Type == Packet.Types.PacketType.PacketReq)
            {
                var content = entries[(int)reply.Id].Content!;
                for (var at = 0; at < content.Length; at += 32 << 10)
                    await DataAsync(reply.Id, content.AsSpan(at, Math.Min(32 << 10, content.Length - at)).ToArray());
                await DataAsync(reply.Id, []);
            }
            else if (reply.Type == Packet.Types.PacketType.PacketFin)
            {
                await FinAsync();
            }
        }
        await announcing;
        await Call.WaitAsync(Poll.Patience);

        async Task AnnounceAsync()
        {
            foreach (var (stat, _) in entries)
                await StatAsync(stat);
            await EndStatsAsync();
        }
    }

    private async Task RunAsync(DuplexStreamingServerMethod<FileSendMessage, FileSendReply> handler, Metadata headers)
    {
        await Task.Yield();
        using var cancellation = new CancellationTokenSource();
        _ = _reset.Task.ContinueWith(_ => cancellation.Cancel(), TaskScheduler.Default);
        try
        {
            await handler(this, this, new Context(headers, cancellation.Token));
        }
        finally
        {
            _fromUs.Writer.TryComplete();
        }
    }

    private sealed class Context(Metadata headers, CancellationToken cancellationToken) : ServerCallContext
    {
        public override string Method => "/moby.filesync.v1.FileSend/DiffCopy";

        public override Metadata RequestHeaders => headers;

        public override DateTime Deadline => DateTime.MaxValue;

        public override CancellationToken CancellationToken => cancellationToken;

        public override Task WriteResponseHeadersAsync(Metadata responseHeaders) => Task.CompletedTask;
    }
}
