using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using BuildKit.Grpc;
using Xunit;

namespace BuildKit.Tests.Grpc;

internal enum FrameType : byte
{
    Data = 0,
    Headers = 1,
    RstStream = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

internal sealed record RawFrame(FrameType Type, byte Flags, int StreamId, byte[] Payload)
{
    public bool IsEndStream => (Flags & 1) != 0 && Type is FrameType.Data or FrameType.Headers;

    public bool IsAck => (Flags & 1) != 0 && Type is FrameType.Settings or FrameType.Ping;

    public uint ErrorCode => BinaryPrimitives.ReadUInt32BigEndian(Type == FrameType.GoAway ? Payload.AsSpan(4) : Payload);
}

/// <summary>A server that says exactly what a test tells it to, frame by frame, and so can misbehave in ways that no real daemon does on demand.</summary>
internal sealed class ClientRawPeer : IAsyncDisposable
{
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;

    private readonly NetworkStream _stream;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Task _greeted;

    private ClientRawPeer(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _greeted = GreetAsync();
    }

    /// <summary>A channel and, once it has connected, the peer it talks to.</summary>
    public static (GrpcChannel Channel, Task<ClientRawPeer> Peer) Start(GrpcChannelOptions? options = null)
    {
        var accepted = new TaskCompletionSource<ClientRawPeer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var channel = new GrpcChannel(
            async cancellationToken =>
            {
                var (client, server) = await ConnectPairAsync(cancellationToken);
                accepted.TrySetResult(Greet(server));
                return client;
            },
            options);
        return (channel, accepted.Task);
    }

    public static async Task<(Stream Client, Socket Server)> ConnectPairAsync(CancellationToken cancellationToken)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(listener.LocalEndPoint!, cancellationToken);
        var server = await listener.AcceptAsync(cancellationToken);
        server.NoDelay = true;
        return (new NetworkStream(client, ownsSocket: true), server);
    }

    /// <summary>Reads the client's preface and sends settings.</summary>
    public static ClientRawPeer Greet(Socket socket) => new(socket);

    public static byte[] Message(ReadOnlySpan<byte> payload)
    {
        var message = new byte[5 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), payload.Length);
        payload.CopyTo(message.AsSpan(5));
        return message;
    }

    public static byte[] Message(string payload) => Message(Encoding.UTF8.GetBytes(payload));

    /// <summary>The next frame that is about a call; settings and pings are answered, window updates skipped.</summary>
    public async Task<RawFrame> ReadFrameAsync()
    {
        await _greeted;
        while (true)
        {
            var header = await ReadAsync(9);
            var length = header[0] << 16 | header[1] << 8 | header[2];
            var frame = new RawFrame((FrameType)header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)), await ReadAsync(length));
            switch (frame.Type)
            {
                case FrameType.Settings or FrameType.Ping when !frame.IsAck:
                    await WriteFrameAsync(frame.Type, 1, 0, frame.Type == FrameType.Ping ? frame.Payload : []);
                    break;
                case FrameType.Settings or FrameType.Ping or FrameType.WindowUpdate:
                    break;
                default:
                    return frame;
            }
        }
    }

    public async Task<RawFrame> ReadFrameAsync(FrameType type)
    {
        RawFrame frame;
        do
            frame = await ReadFrameAsync();
        while (frame.Type != type);
        return frame;
    }

    /// <summary>Reads a call's headers and, where it sends one message, that message to the end of the stream.</summary>
    public async Task<(int StreamId, List<(string Name, string Value)> Headers, byte[] Body)> ReadRequestAsync()
    {
        var head = await ReadFrameAsync(FrameType.Headers);
        var body = new List<byte>();
        RawFrame frame;
        do
        {
            frame = await ReadFrameAsync(FrameType.Data);
            body.AddRange(frame.Payload);
        }
        while (!frame.IsEndStream);
        return (head.StreamId, DecodeHeaders(head.Payload), [.. body]);
    }

    public Task WriteHeadersAsync(int streamId, params (string Name, string Value)[] headers) =>
        WriteFrameAsync(FrameType.Headers, EndHeaders, streamId, EncodeHeaders([(":status", "200"), ("content-type", "application/grpc"), .. headers]));

    public async Task WriteRawHeadersAsync(int streamId, bool endStream, params (string Name, string Value)[] headers)
    {
        ReadOnlyMemory<byte> block = EncodeHeaders(headers);
        var flags = endStream ? EndStream : (byte)0;
        for (var type = FrameType.Headers; ; type = FrameType.Continuation, flags = 0)
        {
            var part = block[..Math.Min(block.Length, 16384)];
            block = block[part.Length..];
            await WriteFrameAsync(type, (byte)(flags | (block.IsEmpty ? EndHeaders : 0)), streamId, part);
            if (block.IsEmpty)
                return;
        }
    }

    public Task WriteTrailersAsync(int streamId, params (string Name, string Value)[] trailers) => WriteRawHeadersAsync(streamId, true, trailers);

    /// <summary>Data in frames that no peer refuses for their size.</summary>
    public async Task WriteDataAsync(int streamId, ReadOnlyMemory<byte> data)
    {
        for (; !data.IsEmpty; data = data[Math.Min(data.Length, 16384)..])
            await WriteFrameAsync(FrameType.Data, 0, streamId, data[..Math.Min(data.Length, 16384)]);
    }

    public Task WriteResetAsync(int streamId, uint errorCode)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, errorCode);
        return WriteFrameAsync(FrameType.RstStream, 0, streamId, payload);
    }

    public Task WriteGoAwayAsync(int lastStreamId, uint errorCode)
    {
        var payload = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(4), errorCode);
        return WriteFrameAsync(FrameType.GoAway, 0, 0, payload);
    }

    public async Task WriteFrameAsync(FrameType type, byte flags, int streamId, ReadOnlyMemory<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)payload.Length);
        frame[3] = (byte)type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame.AsMemory(9));
        await WriteBytesAsync(frame);
    }

    public async Task WriteBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        await _writing.WaitAsync();
        try
        {
            await _stream.WriteAsync(bytes);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Reads until the other side closes.</summary>
    public async Task WaitForCloseAsync()
    {
        var buffer = new byte[4096];
        while (await _stream.ReadAsync(buffer) > 0)
        {
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    // Literals without indexing and without Huffman coding, RFC 7541 section 6.2.2.
    public static byte[] EncodeHeaders(params (string Name, string Value)[] headers)
    {
        var block = new List<byte>();
        foreach (var (name, value) in headers)
        {
            block.Add(0);
            AddString(name);
            AddString(value);
        }

        return [.. block];

        void AddString(string text)
        {
            var length = text.Length;
            if (length < 127)
                block.Add((byte)length);
            else
            {
                block.Add(127);
                for (length -= 127; length >= 128; length >>= 7)
                    block.Add((byte)(length | 128));
                block.Add((byte)length);
            }

            block.AddRange(Encoding.Latin1.GetBytes(text));
        }
    }

    /// <summary>Fields as they stand on the wire; an indexed name is <c>#</c> and its index.</summary>
    public static List<(string Name, string Value)> DecodeHeaders(byte[] block)
    {
        var headers = new List<(string, string)>();
        for (var next = 0; next < block.Length;)
        {
            if ((block[next] & 0x80) != 0)
                headers.Add(($"#{ReadInteger(7)}", string.Empty));
            else
            {
                var index = ReadInteger((block[next] & 0x40) != 0 ? 6 : 4);
                headers.Add((index == 0 ? ReadString() : $"#{index}", ReadString()));
            }

            int ReadInteger(int bits)
            {
                var max = (1 << bits) - 1;
                var value = block[next++] & max;
                for (var shift = 0; value >= max; shift += 7)
                {
                    value += (block[next] & 127) << shift;
                    if ((block[next++] & 128) == 0)
                        break;
                }

                return value;
            }

            string ReadString()
            {
                Assert.True((block[next] & 0x80) == 0, "Huffman coding is not expected here.");
                var length = ReadInteger(7);
                next += length;
                return Encoding.Latin1.GetString(block, next - length, length);
            }
        }

        return headers;
    }

    private async Task GreetAsync()
    {
        Assert.Equal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Encoding.ASCII.GetString(await ReadAsync(24)));
        await WriteFrameAsync(FrameType.Settings, 0, 0, Array.Empty<byte>());
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes);
        return bytes;
    }
}
