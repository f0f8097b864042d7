using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using BuildKit.Grpc;
using BuildKit.Http2;
using BuildKit.Http2.Hpack;
using Xunit;

namespace BuildKit.Tests.Http2;

internal sealed record TestFrame(Http2FrameType Type, byte Flags, int StreamId, byte[] Payload)
{
    public bool IsEndStream => Type is Http2FrameType.Data or Http2FrameType.Headers && (Flags & 0x1) != 0;

    public bool IsAck => Type is Http2FrameType.Settings or Http2FrameType.Ping && (Flags & 0x1) != 0;

    /// <summary>Of RST_STREAM and GOAWAY.</summary>
    public Http2ErrorCode ErrorCode => (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(Type == Http2FrameType.GoAway ? Payload.AsSpan(4) : Payload);

    /// <summary>Of WINDOW_UPDATE.</summary>
    public int Increment => BinaryPrimitives.ReadInt32BigEndian(Payload);
}

/// <summary>A client that sends frames as a test makes them, right or wrong, and shows what the server answers.</summary>
internal sealed class Http2TestPeer : IAsyncDisposable
{
    public static readonly TimeSpan Guard = Poll.Patience;

    private readonly HpackEncoder _encoder = new();
    private readonly HpackDecoder _decoder = new(4096);

    private Http2TestPeer(int transportBufferSize) => (Client, ServerEnd) = MemoryDuplexStream.CreatePair(transportBufferSize);

    public MemoryDuplexStream Client { get; }

    public MemoryDuplexStream ServerEnd { get; }

    public IAsyncDisposable Server { get; private set; } = null!;

    /// <summary>The server's run; faulted where the test broke the protocol.</summary>
    public Task Run { get; private set; } = null!;

    /// <summary>Starts a server without a word from the client.</summary>
    public static Http2TestPeer StartSilent(
        Func<Http2ServerStream, Task>? handler = null, Http2ServerOptions? options = null, int transportBufferSize = 1 << 20, CancellationToken cancellationToken = default)
    {
        var peer = new Http2TestPeer(transportBufferSize);
        options ??= new Http2ServerOptions();

        // A busy machine may take longer than a user would wait for the last frames.
        if (options.TransportTimeout == new Http2ServerOptions().TransportTimeout)
            options = options with { TransportTimeout = Guard };
        var server = new Http2ServerConnection(peer.ServerEnd, options, handler ?? EchoAsync);
        (peer.Server, peer.Run) = (server, server.RunAsync(cancellationToken));
        return peer;
    }

    /// <summary>Starts a server, and exchanges settings with it.</summary>
    public static async Task<Http2TestPeer> StartAsync(
        Func<Http2ServerStream, Task>? handler = null, Http2ServerOptions? options = null, int transportBufferSize = 1 << 20, CancellationToken cancellationToken = default)
    {
        var peer = StartSilent(handler, options, transportBufferSize, cancellationToken);
        await peer.ExchangeSettingsAsync();
        return peer;
    }

    /// <summary>Starts a gRPC server, and exchanges settings with it.</summary>
    public static async Task<Http2TestPeer> StartGrpcAsync(ServerServiceDefinition service, GrpcServerOptions? options = null)
    {
        var peer = new Http2TestPeer(1 << 20);
        var server = new GrpcServer(peer.ServerEnd, [service], options);
        (peer.Server, peer.Run) = (server, server.RunAsync(CancellationToken.None));
        await peer.ExchangeSettingsAsync();
        return peer;
    }

    /// <summary>Answers with the body of the request, chunk by chunk, and a trailer.</summary>
    public static async Task EchoAsync(Http2ServerStream stream)
    {
        stream.StartResponse([new(":status", "200")]);
        while (true)
        {
            var result = await stream.ReadAsync(stream.Aborted);
            foreach (var segment in result.Buffer)
                stream.Output.Write(segment.Span);
            stream.AdvanceTo(result.Buffer.End, result.Buffer.End);
            if (result.IsCompleted)
                break;
            await stream.FlushAsync(stream.Aborted);
        }

        stream.CompleteResponse([new("the-end", "true")]);
    }

    public static HeaderField[] Post(params HeaderField[] more) =>
        [new(":method", "POST"), new(":scheme", "http"), new(":path", "/test"), new(":authority", "test"), .. more];

    public Task SendPrefaceAsync() => SendRawAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());

    /// <summary>Sends octets; a server that has closed its end already is no failure of the sender.</summary>
    public async Task SendRawAsync(ReadOnlyMemory<byte> octets)
    {
        try
        {
            await Client.WriteAsync(octets).AsTask().WaitAsync(Guard);
        }
        catch (InvalidOperationException)
        {
        }
    }

    public Task SendAsync(Http2FrameType type, byte flags, int streamId, params byte[] payload) => SendRawAsync(Frame(type, flags, streamId, payload));

    public static byte[] Frame(Http2FrameType type, byte flags, int streamId, params byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, (payload.Length << 8) | (byte)type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame, 9);
        return frame;
    }

    public static byte[] UInt32(uint value)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        return octets;
    }

    public static byte[] Setting(int id, uint value) => [(byte)(id >> 8), (byte)id, .. UInt32(value)];

    public Task SendHeadersAsync(int streamId, bool endStream, params HeaderField[] fields) =>
        SendAsync(Http2FrameType.Headers, (byte)(0x4 | (endStream ? 1 : 0)), streamId, Encode(fields));

    public Task SendDataAsync(int streamId, bool endStream, params byte[] data) => SendAsync(Http2FrameType.Data, (byte)(endStream ? 1 : 0), streamId, data);

    public Task SendWindowUpdateAsync(int streamId, uint increment) => SendAsync(Http2FrameType.WindowUpdate, 0, streamId, UInt32(increment));

    public byte[] Encode(params HeaderField[] fields)
    {
        var output = new ArrayBufferWriter<byte>();
        _encoder.Encode(fields, output);
        return output.WrittenSpan.ToArray();
    }

    public List<HeaderField> Decode(TestFrame frame)
    {
        Assert.Equal(Http2FrameType.Headers, frame.Type);
        Assert.Equal(0x4, frame.Flags & 0x4);
        var fields = new List<HeaderField>();
        Assert.True(_decoder.Decode(frame.Payload, int.MaxValue, fields));
        return fields;
    }

    /// <summary>The next frame, or null when the server has closed the connection.</summary>
    public async Task<TestFrame?> ReceiveAsync()
    {
        var header = new byte[9];
        if (await Client.ReadAtLeastAsync(header, 9, throwOnEndOfStream: false).AsTask().WaitAsync(Guard) < 9)
            return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(header) >> 8;
        var payload = new byte[length];
        await Client.ReadExactlyAsync(payload).AsTask().WaitAsync(Guard);
        return new TestFrame((Http2FrameType)header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)), payload);
    }

    /// <summary>Skips frames until one fits. Header blocks that are skipped are decoded, or later ones could not be.</summary>
    public async Task<TestFrame> ExpectAsync(Func<TestFrame, bool> fits)
    {
        var seen = new StringBuilder();
        while (await ReceiveAsync() is { } frame)
        {
            if (fits(frame))
                return frame;
            seen.Append(System.Globalization.CultureInfo.InvariantCulture, $" {frame.Type}/{frame.StreamId}");
            if (frame.Type == Http2FrameType.Headers)
                Decode(frame);
            if (frame.Type == Http2FrameType.GoAway)
                seen.Append(System.Globalization.CultureInfo.InvariantCulture, $"({frame.ErrorCode}: {Encoding.UTF8.GetString(frame.Payload.AsSpan(8))})");
        }

        throw new InvalidOperationException($"The server closed the connection; it had sent{seen}.");
    }

    public Task<TestFrame> ExpectAsync(Http2FrameType type, int streamId) => ExpectAsync(frame => frame.Type == type && frame.StreamId == streamId);

    public async Task ExpectResetAsync(int streamId, Http2ErrorCode errorCode) =>
        Assert.Equal(errorCode, (await ExpectAsync(Http2FrameType.RstStream, streamId)).ErrorCode);

    /// <summary>The server says GOAWAY, closes, and its run fails with the same code.</summary>
    public async Task<TestFrame> ExpectConnectionErrorAsync(Http2ErrorCode errorCode)
    {
        var frame = await ExpectAsync(Http2FrameType.GoAway, 0);
        Assert.Equal((errorCode, Encoding.UTF8.GetString(frame.Payload.AsSpan(8))), (frame.ErrorCode, Encoding.UTF8.GetString(frame.Payload.AsSpan(8))));
        Assert.Null(await ReceiveAsync());
        var exception = await Assert.ThrowsAsync<Http2ConnectionException>(() => Run.WaitAsync(Guard));
        Assert.Equal(errorCode, exception.ErrorCode);
        return frame;
    }

    /// <summary>Shows that the connection still works.</summary>
    public async Task PingAsync()
    {
        var opaque = Guid.NewGuid().ToByteArray()[..8];
        await SendAsync(Http2FrameType.Ping, 0, 0, opaque);
        var answer = await ExpectAsync(frame => frame is { Type: Http2FrameType.Ping, IsAck: true });
        Assert.Equal(opaque, answer.Payload);
    }

    /// <summary>The whole response on a stream: headers, body, trailers. Windows are granted as data comes.</summary>
    public async Task<(List<HeaderField> Headers, byte[] Body, List<HeaderField> Trailers)> ReceiveResponseAsync(int streamId)
    {
        var first = await ExpectAsync(Http2FrameType.Headers, streamId);
        var headers = Decode(first);
        var body = new MemoryStream();
        var last = first;
        while (!last.IsEndStream)
        {
            last = await ExpectAsync(frame => frame.StreamId == streamId && frame.Type is Http2FrameType.Data or Http2FrameType.Headers or Http2FrameType.RstStream);
            Assert.NotEqual(Http2FrameType.RstStream, last.Type);
            if (last.Type == Http2FrameType.Headers)
                return (headers, body.ToArray(), Decode(last));
            body.Write(last.Payload);
            if (last.Payload.Length > 0)
            {
                await SendWindowUpdateAsync(0, (uint)last.Payload.Length);
                if (!last.IsEndStream)
                    await SendWindowUpdateAsync(streamId, (uint)last.Payload.Length);
            }
        }

        return (headers, body.ToArray(), []);
    }

    private async Task ExchangeSettingsAsync()
    {
        await SendPrefaceAsync();
        await SendAsync(Http2FrameType.Settings, 0, 0, []);
        await ExpectAsync(frame => frame is { Type: Http2FrameType.Settings, IsAck: true });
        await SendAsync(Http2FrameType.Settings, 1, 0, []);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync().AsTask().WaitAsync(Guard);
    }
}
