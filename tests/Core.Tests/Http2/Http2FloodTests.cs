using BuildKit.Http2;
using BuildKit.Http2.Hpack;
using Xunit;
using static BuildKit.Tests.Http2.Http2TestPeer;

namespace BuildKit.Tests.Http2;

/// <summary>What a peer may not have too much of (RFC 9113 section 10.5).</summary>
public sealed class Http2FloodTests
{
    private static readonly HeaderField[] Request = Post();
    private static readonly Http2ServerOptions SmallBudgets = new() { IdleFrameBudget = 50, IdleFramesPerSecond = 0, ResetBudget = 20, ResetsPerSecond = 0 };

    [Theory]
    [InlineData(Http2FrameType.Ping, 0, 0, 8)]
    [InlineData(Http2FrameType.Settings, 0, 0, 0)]
    [InlineData(Http2FrameType.Priority, 0, 99, 5)]
    [InlineData((Http2FrameType)0x42, 0, 0, 3)]
    [InlineData(Http2FrameType.Data, 0, 1, 0)]
    [InlineData(Http2FrameType.Data, 8, 1, 1)]
    internal async Task FramesThatCarryNothing_EndTheConnection(Http2FrameType type, int flags, int streamId, int length)
    {
        await using var peer = await StartAsync(WaitForeverAsync, SmallBudgets);
        await peer.SendHeadersAsync(1, endStream: false, Request);
        for (var i = 0; i < 60; i++)
            await peer.SendAsync(type, (byte)flags, streamId, new byte[length]);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task PingsBetweenData_AreFine()
    {
        // grpc-go measures the round trip with a PING after DATA that it receives or sends.
        await using var peer = await StartAsync(options: SmallBudgets);
        await peer.SendHeadersAsync(1, endStream: false, Request);
        for (var i = 0; i < 500; i++)
        {
            await peer.SendDataAsync(1, endStream: false, 1);
            await peer.PingAsync();
        }
    }

    [Fact]
    public async Task Continuations_WithoutOctets_EndTheConnection()
    {
        await using var peer = await StartAsync(options: SmallBudgets);
        await peer.SendAsync(Http2FrameType.Headers, 0, 1, peer.Encode(Request));
        for (var i = 0; i < 60; i++)
            await peer.SendAsync(Http2FrameType.Continuation, 0, 1);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task Continuations_WithoutEnd_EndTheConnection()
    {
        await using var peer = await StartAsync(options: new Http2ServerOptions { MaxHeaderListSize = 100_000 });
        await peer.SendAsync(Http2FrameType.Headers, 0, 1, peer.Encode(Request));
        for (var i = 0; i < 10; i++)
            await peer.SendAsync(Http2FrameType.Continuation, 0, 1, new byte[16_000]);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task HeadersOverTheLimit_AreAnsweredWith431_AndLaterRequestsWork()
    {
        await using var peer = await StartAsync(options: new Http2ServerOptions { MaxHeaderListSize = 16_000 });

        // 40 times 4 octets on the wire, 40 times 1032 in the list.
        var field = new HeaderField("x-repeated", new string('v', 1_000));
        await peer.SendHeadersAsync(1, endStream: true, Post([.. Enumerable.Repeat(field, 40)]));
        var (headers, _, _) = await peer.ReceiveResponseAsync(1);
        Assert.Equal([new(":status", "431")], headers);

        await peer.SendHeadersAsync(3, endStream: true, Post(field));
        (headers, _, _) = await peer.ReceiveResponseAsync(3);
        Assert.Equal([new(":status", "200")], headers);
    }

    [Fact]
    public async Task OneStreamTooMany_IsRefused_AndTakenWhenThereIsRoom()
    {
        var end = new SemaphoreSlim(0);
        await using var peer = await StartAsync(
            async stream =>
            {
                await end.WaitAsync();
                await EchoAsync(stream);
            },
            new Http2ServerOptions { MaxConcurrentStreams = 2 });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.SendHeadersAsync(3, endStream: true, Request);
        await peer.SendHeadersAsync(5, endStream: true, Request);
        await peer.ExpectResetAsync(5, Http2ErrorCode.RefusedStream);
        end.Release();
        peer.Decode(await peer.ExpectAsync(frame => frame.IsEndStream));
        end.Release(2);
        await peer.SendHeadersAsync(7, endStream: true, Request);
        await peer.ReceiveResponseAsync(7);
    }

    [Fact]
    public async Task RapidReset_EndsTheConnection()
    {
        await using var peer = await StartAsync(WaitForeverAsync, SmallBudgets);
        for (var id = 1; id < 60; id += 2)
        {
            await peer.SendHeadersAsync(id, endStream: true, Request);
            await peer.SendAsync(Http2FrameType.RstStream, 0, id, UInt32(8));
        }

        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task ResetsThatThePeerProvokes_EndTheConnection()
    {
        await using var peer = await StartAsync(WaitForeverAsync, SmallBudgets);
        for (var id = 1; id < 60; id += 2)
        {
            await peer.SendHeadersAsync(id, endStream: false, Request);
            await peer.SendWindowUpdateAsync(id, 0);
        }

        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task HandlersThatOutliveTheirStreams_CountAsWell()
    {
        var running = 0;
        var begun = new SemaphoreSlim(0);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = await StartAsync(
            async stream =>
            {
                Interlocked.Increment(ref running);
                begun.Release();
                await end.Task;
            },
            new Http2ServerOptions { MaxConcurrentStreams = 5, HandlerTimeout = TimeSpan.FromSeconds(1) });
        for (var id = 1; id < 200; id += 2)
        {
            await peer.SendHeadersAsync(id, endStream: true, Request);
            await peer.SendAsync(Http2FrameType.RstStream, 0, id, UInt32(8));
        }

        for (var id = 1; id <= 10; id++)
            Assert.True(await begun.WaitAsync(Guard));
        await peer.PingAsync();
        Assert.Equal(10, Volatile.Read(ref running));
        end.SetResult();
    }

    [Fact]
    public async Task PeerThatDoesNotReadTheAnswers_IsLeft()
    {
        // The transport takes 4 KB; the rest of the acknowledgements has to wait with us, within a limit.
        await using var peer = StartSilent(
            WaitForeverAsync,
            new Http2ServerOptions { MaxQueuedControlFrames = 1_000, MaxWriteSize = 4_096, TransportTimeout = TimeSpan.FromMilliseconds(300) },
            transportBufferSize: 4_096);
        await peer.SendPrefaceAsync();
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        for (var i = 0; i < 3_000 && !peer.Run.IsCompleted; i++)
            await peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
        var exception = await Assert.ThrowsAsync<Http2ConnectionException>(() => peer.Run.WaitAsync(Guard));
        Assert.Equal(Http2ErrorCode.EnhanceYourCalm, exception.ErrorCode);
    }

    private static Task WaitForeverAsync(Http2ServerStream stream) => Task.Delay(Timeout.Infinite, stream.Aborted);
}
