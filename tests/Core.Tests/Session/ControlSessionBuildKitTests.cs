using System.Buffers.Binary;
using System.Text;
using BuildKit.Builders;
using BuildKit.Grpc;
using BuildKit.Session;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Grpc;
using Xunit;

namespace BuildKit.Tests.Session;

/// <summary>A session through a real buildkitd: on the tunnel it is the HTTP/2 client, and here a test speaks the server's few frames.</summary>
public sealed class ControlSessionBuildKitTests
{
    private static readonly byte[] EmptySettings = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    [SkippableFact]
    public async Task TheDaemon_SendsItsPreface_AndAnswersPings()
    {
        await using var channel = await ClientBuildKitTests.ConnectAsync();
        await using var stream = Open(channel);
        await ReadPrefaceAsync(stream);
        await stream.WriteAsync(EmptySettings);
        await stream.WriteAsync(Frame(6, 0, "8 bytes!"u8));
        var pong = await ReadFrameAsync(stream, frame => frame.Type == 6);
        Assert.Equal("8 bytes!", Encoding.ASCII.GetString(pong.Payload));
    }

    [SkippableFact]
    public async Task Megabytes_ReachTheDaemonInOrder()
    {
        await using var channel = await ClientBuildKitTests.ConnectAsync();
        await using var stream = Open(channel);
        await ReadPrefaceAsync(stream);
        await stream.WriteAsync(EmptySettings);

        // A frame of unknown type is read and ignored (RFC 9113, section 5.5); one byte out of place would make nonsense of the frames after it.
        var ignored = Frame(0x77, 0, new byte[16384]);
        var writes = Enumerable.Range(0, 64).SelectMany(_ => ignored).ToArray();
        for (var i = 0; i < 16; i++)
            await stream.WriteAsync(writes).AsTask().WaitAsync(ClientTestCalls.Guard);
        await stream.WriteAsync(Frame(6, 0, "the end."u8));
        var pong = await ReadFrameAsync(stream, frame => frame.Type == 6);
        Assert.Equal("the end.", Encoding.ASCII.GetString(pong.Payload));
    }

    [SkippableTheory]
    [InlineData("/moby.filesync.v1.FileSync/DiffCopy")]
    [InlineData("/grpc.health.v1.Health/Check")]
    public async Task TheDaemon_CallsTheMethodsItWasTold_AndNoOthers(string method)
    {
        await using var channel = await ClientBuildKitTests.ConnectAsync();
        await using var stream = Open(channel, "/test.First/One", method, "/test.Last/One");
        await ReadPrefaceAsync(stream);
        await stream.WriteAsync(EmptySettings);
        var request = new Protocol.Control.SolveRequest { Ref = Guid.NewGuid().ToString("N"), Frontend = "dockerfile.v0", Session = "session-" + method };
        using var cancellation = new CancellationTokenSource();
        var solving = new ControlClient(channel).SolveAsync(request, cancellation.Token);

        if (method.EndsWith("/DiffCopy", StringComparison.Ordinal))
        {
            // The daemon asks for the Dockerfile. It got the name of this method as one of three: they must have arrived apart.
            var call = await ReadFrameAsync(stream, frame => frame.Type == 1);
            Assert.NotEmpty(call.Payload);
            Assert.False(solving.IsCompleted, solving.Exception?.ToString());
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => solving.WaitAsync(ClientTestCalls.Guard));
        }
        else
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => solving.WaitAsync(ClientTestCalls.Guard));
            Assert.Contains("no local sources enabled", failure.Status.Detail, StringComparison.OrdinalIgnoreCase);
        }
    }

    [SkippableFact]
    public async Task DisposedSession_IsGoneForTheDaemon()
    {
        await using var channel = await ClientBuildKitTests.ConnectAsync();
        var stream = Open(channel);
        await ReadPrefaceAsync(stream);
        await stream.WriteAsync(EmptySettings);
        await stream.DisposeAsync().AsTask().WaitAsync(ClientTestCalls.Guard);

        var request = new Protocol.Control.SolveRequest { Ref = Guid.NewGuid().ToString("N"), Frontend = "dockerfile.v0", Session = "session-" };
        var failure = await Assert.ThrowsAsync<RpcException>(() => new ControlClient(channel).SolveAsync(request, default).WaitAsync(ClientTestCalls.Guard));
        Assert.Contains("no active session", failure.Status.Detail, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task KilledDaemon_BreaksTheStream()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdUnix);
        await using var channel = new GrpcChannel(cancellationToken => ClientBuildKitTests.ConnectAsync(engine.Address, cancellationToken));
        await using var stream = Open(channel);
        await ReadPrefaceAsync(stream);
        var reading = ReadFrameAsync(stream, _ => false);
        await engine.KillAsync();
        var broken = await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(ClientTestCalls.Guard));
        Assert.Equal(StatusCode.Unavailable, Assert.IsType<RpcException>(broken.InnerException).StatusCode);
        await Assert.ThrowsAsync<IOException>(() => stream.WriteAsync(EmptySettings).AsTask().WaitAsync(ClientTestCalls.Guard));
    }

    private static ControlSessionStream Open(GrpcChannel channel, params string[] methods) =>
        new ControlClient(channel).OpenSession(new SessionHandshake("session-" + methods.ElementAtOrDefault(1), "name", "key", methods), default);

    private static async Task ReadPrefaceAsync(Stream stream)
    {
        var preface = new byte[24];
        await stream.ReadExactlyAsync(preface).AsTask().WaitAsync(ClientTestCalls.Guard);
        Assert.Equal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Encoding.ASCII.GetString(preface));
    }

    private static byte[] Frame(byte type, byte flags, ReadOnlySpan<byte> payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, 0, .. payload];

    private static async Task<(byte Type, byte Flags, byte[] Payload)> ReadFrameAsync(Stream stream, Func<(byte Type, byte Flags, byte[] Payload), bool> isWanted)
    {
        while (true)
        {
            var header = new byte[9];
            await stream.ReadExactlyAsync(header).AsTask().WaitAsync(ClientTestCalls.Guard);
            var payload = new byte[BinaryPrimitives.ReadInt32BigEndian([0, .. header.AsSpan(0, 3)])];
            await stream.ReadExactlyAsync(payload).AsTask().WaitAsync(ClientTestCalls.Guard);
            var frame = (header[3], header[4], payload);
            if (isWanted(frame))
                return frame;
            if (frame is { Item1: 4, Item2: 0 })
                await stream.WriteAsync(Frame(4, 1, [])); // their settings are acknowledged
        }
    }
}
