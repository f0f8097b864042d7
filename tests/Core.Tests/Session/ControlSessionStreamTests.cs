using System.Buffers.Binary;
using System.Text;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Session;
using BuildKit.Tests.Grpc;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Session;

/// <summary>The stream of a session on a peer whose every byte is known.</summary>
public sealed class ControlSessionStreamTests
{
    private static readonly SessionHandshake Handshake = new("id-1", "größe", "key 1", ["/grpc.health.v1.Health/Check", "/moby.filesync.v1.FileSync/DiffCopy"]);

    [Fact]
    public async Task Handshake_IsMetadata_WithAFieldForEachMethod()
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        Assert.Contains(session.Headers, header => header.Value == "/moby.buildkit.v1.Control/Session");
        Assert.Contains(("x-docker-expose-session-uuid", "id-1"), session.Headers);
        Assert.Contains(("x-docker-expose-session-name", "gr%C3%B6%C3%9Fe"), session.Headers);
        Assert.Contains(("x-docker-expose-session-sharedkey", "key 1"), session.Headers);
        Assert.Equal(Handshake.Methods, session.Headers.Where(header => header.Name == "x-docker-expose-session-grpc-method").Select(header => header.Value));
    }

    [Fact]
    public async Task Writes_BecomeMessages_ThatTheGeneratedClassReads()
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        foreach (var size in new[] { 1, 127, 128, 16_383, 16_384 })
        {
            var payload = RandomBytes(size);
            await session.Stream.WriteAsync(payload).AsTask().WaitAsync(ClientTestCalls.Guard);
            Assert.Equal(payload, await session.ReadMessageAsync());
        }
    }

    [Fact]
    public async Task LongWrites_AreCutIntoMessages()
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        await session.Peer.WriteFrameAsync(FrameType.WindowUpdate, 0, 0, new byte[] { 0, 0x10, 0, 0 });
        await session.Peer.WriteFrameAsync(FrameType.WindowUpdate, 0, session.Id, new byte[] { 0, 0x10, 0, 0 });
        var payload = RandomBytes(300_000);
        var writing = session.Stream.WriteAsync(payload).AsTask();
        var received = new List<byte>();
        while (received.Count < payload.Length)
        {
            var message = await session.ReadMessageAsync();
            Assert.InRange(message.Length, 1, 64 << 10);
            received.AddRange(message);
        }

        await writing.WaitAsync(ClientTestCalls.Guard);
        Assert.Equal(payload, received);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public async Task Reads_GiveTheBytesOfMessages_WhateverTheSizes(int readSize)
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        var payload = RandomBytes(readSize == 1 ? 3000 : 200_000);
        await session.Peer.WriteHeadersAsync(session.Id);
        var writing = Task.Run(async () =>
        {
            await session.WriteMessageAsync(default);
            for (var (start, size) = (0, 1); start < payload.Length; start += size, size = size * 3 % 40_000)
                await session.WriteMessageAsync(payload.AsMemory(start, Math.Min(size, payload.Length - start)));
            await session.Peer.WriteTrailersAsync(session.Id, ("grpc-status", "0"));
        });

        var received = new List<byte>();
        var buffer = new byte[readSize];
        int count;
        while ((count = await session.Stream.ReadAsync(buffer).AsTask().WaitAsync(ClientTestCalls.Guard)) > 0)
            received.AddRange(buffer.AsSpan(0, count));
        await writing;
        Assert.Equal(payload, received);
        Assert.Equal(0, await session.Stream.ReadAsync(buffer));
    }

    [Fact]
    public async Task UnusualMessages_AreReadLikeAnyProtobuf()
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        await session.Peer.WriteHeadersAsync(session.Id);
        byte[] unknownFieldFirst = [0x10, 5, 0x0a, 2, (byte)'h', (byte)'i'];
        byte[] twice = [0x0a, 1, (byte)'x', 0x0a, 1, (byte)'!']; // the last one counts
        await session.Peer.WriteDataAsync(session.Id, ClientRawPeer.Message(unknownFieldFirst));
        await session.Peer.WriteDataAsync(session.Id, ClientRawPeer.Message(twice));
        var buffer = new byte[3];
        await session.Stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(ClientTestCalls.Guard);
        Assert.Equal("hi!", Encoding.ASCII.GetString(buffer));
    }

    [Fact]
    public async Task MessageThatIsNoProtobuf_BreaksTheStream()
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        await session.Peer.WriteHeadersAsync(session.Id);
        await session.Peer.WriteDataAsync(session.Id, ClientRawPeer.Message([0x0a, 200, 1, 0]));
        var broken = await Assert.ThrowsAsync<IOException>(() => session.Stream.ReadAsync(new byte[10]).AsTask().WaitAsync(ClientTestCalls.Guard));
        Assert.Equal(StatusCode.Internal, Assert.IsType<RpcException>(broken.InnerException).StatusCode);
    }

    [Fact]
    public async Task Refusal_IsMetByReadsAndWrites()
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        await session.Peer.WriteRawHeadersAsync(
            session.Id, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "12"), ("grpc-message", "unknown method Session"));
        var read = await Assert.ThrowsAsync<IOException>(() => session.Stream.ReadAsync(new byte[10]).AsTask().WaitAsync(ClientTestCalls.Guard));
        Assert.Equal(StatusCode.Unimplemented, Assert.IsType<RpcException>(read.InnerException).StatusCode);
        Assert.Contains("unknown method Session", read.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => session.Stream.WriteAsync(new byte[10]).AsTask().WaitAsync(ClientTestCalls.Guard));
    }

    [Fact]
    public async Task DisposeAsync_EndsTheRequest_AndWaitsForTheDaemon()
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        await session.Peer.WriteHeadersAsync(session.Id);
        var reading = session.Stream.ReadAsync(new byte[10]).AsTask();
        var disposing = session.Stream.DisposeAsync().AsTask();
        Assert.True((await session.Peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard)).IsEndStream);
        await session.WriteMessageAsync("last words"u8.ToArray());
        await session.Peer.WriteTrailersAsync(session.Id, ("grpc-status", "0"));
        await disposing.WaitAsync(ClientTestCalls.Guard);
        Assert.Equal(10, await reading.WaitAsync(ClientTestCalls.Guard)); // a read that was under way still gets what came
        await Assert.ThrowsAsync<ObjectDisposedException>(() => session.Stream.ReadAsync(new byte[10]).AsTask().WaitAsync(ClientTestCalls.Guard));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => session.Stream.WriteAsync(new byte[10]).AsTask().WaitAsync(ClientTestCalls.Guard));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DisposeAsync_CancelsACall_ThatTheDaemonDoesNotEnd(bool whileReading)
    {
        await using var session = await TestSession.OpenAsync(Handshake);
        await session.Peer.WriteHeadersAsync(session.Id);
        var reading = whileReading ? session.Stream.ReadAsync(new byte[10]).AsTask() : null;
        await session.Stream.DisposeAsync().AsTask().WaitAsync(ClientTestCalls.Guard);
        Assert.Equal(session.Id, (await session.Peer.ReadFrameAsync(FrameType.RstStream).WaitAsync(ClientTestCalls.Guard)).StreamId);
        if (reading is not null)
            await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(ClientTestCalls.Guard));
    }

    [Fact]
    public async Task Token_EndsTheSessionAtOnce()
    {
        using var cancellation = new CancellationTokenSource();
        await using var session = await TestSession.OpenAsync(Handshake, cancellation.Token);
        var reading = session.Stream.ReadAsync(new byte[10]).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(ClientTestCalls.Guard));
        Assert.Equal(session.Id, (await session.Peer.ReadFrameAsync(FrameType.RstStream).WaitAsync(ClientTestCalls.Guard)).StreamId);
    }

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A session that is open on both sides.</summary>
    private sealed class TestSession(GrpcChannel channel, ControlSessionStream stream, ClientRawPeer peer, int id, List<(string Name, string Value)> headers)
        : IAsyncDisposable
    {
        private readonly List<byte> _received = [];

        public ControlSessionStream Stream => stream;

        public ClientRawPeer Peer => peer;

        public int Id => id;

        public List<(string Name, string Value)> Headers => headers;

        public static async Task<TestSession> OpenAsync(SessionHandshake handshake, CancellationToken cancellationToken = default)
        {
            var (channel, connected) = ClientRawPeer.Start();
            var stream = ControlSessionStream.Open(channel, handshake, cancellationToken);
            var peer = await connected.WaitAsync(ClientTestCalls.Guard, CancellationToken.None);
            var head = await peer.ReadFrameAsync(FrameType.Headers).WaitAsync(ClientTestCalls.Guard, CancellationToken.None);
            return new TestSession(channel, stream, peer, head.StreamId, ClientRawPeer.DecodeHeaders(head.Payload));
        }

        public Task WriteMessageAsync(ReadOnlyMemory<byte> payload) =>
            peer.WriteDataAsync(id, ClientRawPeer.Message(new BytesMessage { Data = UnsafeByteOperations.UnsafeWrap(payload) }.ToByteArray()));

        public async Task<byte[]> ReadMessageAsync()
        {
            while (_received.Count < 5 || _received.Count < 5 + Size())
                _received.AddRange((await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard)).Payload);
            var message = BytesMessage.Parser.ParseFrom([.. _received.Skip(5).Take(Size())]);
            _received.RemoveRange(0, 5 + Size());
            return message.Data.ToByteArray();

            int Size() => BinaryPrimitives.ReadInt32BigEndian([.. _received.Skip(1).Take(4)]);
        }

        public async ValueTask DisposeAsync()
        {
            await stream.DisposeAsync();
            await channel.DisposeAsync();
            await peer.DisposeAsync();
        }
    }
}
