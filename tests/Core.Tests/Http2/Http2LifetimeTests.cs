using System.Buffers;
using BuildKit.Http2;
using BuildKit.Http2.Hpack;
using Xunit;
using static BuildKit.Tests.Http2.Http2TestPeer;

namespace BuildKit.Tests.Http2;

/// <summary>How a connection begins and ends.</summary>
public sealed class Http2LifetimeTests
{
    private static readonly HeaderField[] Request = Post();

    [Fact]
    public async Task Close_ByThePeer_EndsTheRun()
    {
        await using var peer = await StartAsync();
        await peer.Client.DisposeAsync();
        await peer.Run.WaitAsync(Guard);
    }

    [Fact]
    public async Task Close_ByThePeer_CancelsHandlers_AndTheRunWaitsForThem()
    {
        var ended = false;
        await using var peer = await StartAsync(async stream =>
        {
            await Task.Delay(Timeout.Infinite, stream.Aborted).ContinueWith(_ => { }, TaskScheduler.Default);
            await Task.Yield();
            ended = true;
        });
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.PingAsync();
        await peer.Client.DisposeAsync();
        await peer.Run.WaitAsync(Guard);
        Assert.True(ended);
    }

    [Fact]
    public async Task Close_InTheMiddleOfAFrame_WithOpenRequests_IsALostConnection()
    {
        await using var peer = await StartAsync(WaitForeverAsync);
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.PingAsync();
        await peer.SendRawAsync(new byte[] { 0, 0, 10, 0 });
        await peer.Client.DisposeAsync();
        var exception = await Assert.ThrowsAsync<BuildKitException>(() => peer.Run.WaitAsync(Guard));
        Assert.Equal("BuildKit.ConnectionLost", exception.ErrorId);
    }

    [Fact]
    public async Task GoAway_FromThePeer_LetsItsRequestsFinish_AndEndsTheRun()
    {
        var proceed = new SemaphoreSlim(0);
        await using var peer = await StartAsync(async stream =>
        {
            await proceed.WaitAsync();
            await EchoAsync(stream);
        });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.SendAsync(Http2FrameType.GoAway, 0, 0, new byte[8]);
        await peer.PingAsync();
        proceed.Release();
        await peer.ReceiveResponseAsync(1);
        Assert.Equal(Http2ErrorCode.NoError, (await peer.ExpectAsync(Http2FrameType.GoAway, 0)).ErrorCode);
        Assert.Null(await peer.ReceiveAsync());
        await peer.Run.WaitAsync(Guard);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CancellationAndDispose_SayGoAway_CancelHandlers_AndClose(bool dispose)
    {
        var cancelled = new TaskCompletionSource();
        using var cancellation = new CancellationTokenSource();
        await using var peer = await StartAsync(
            async stream =>
            {
                stream.Aborted.Register(() => cancelled.TrySetResult());
                await stream.ReadAsync(CancellationToken.None);
            },
            cancellationToken: cancellation.Token);
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.PingAsync();
        if (dispose)
            await peer.Server.DisposeAsync().AsTask().WaitAsync(Guard);
        else
            await cancellation.CancelAsync();

        var goAway = await peer.ExpectAsync(Http2FrameType.GoAway, 0);
        Assert.Equal(Http2ErrorCode.NoError, goAway.ErrorCode);
        Assert.Equal([0, 0, 0, 1], goAway.Payload[..4]);
        Assert.Null(await peer.ReceiveAsync());
        await cancelled.Task.WaitAsync(Guard);
        await peer.Run.WaitAsync(Guard);
    }

    [Fact]
    public async Task CompletedResponses_AreStillSent_WhenTheServerStops()
    {
        // The transport takes little at a time, so that most of the response still waits when the server is told to stop.
        var written = new TaskCompletionSource();
        await using var peer = await StartAsync(
            stream =>
            {
                stream.StartResponse([new(":status", "200")]);
                stream.Output.Write(new byte[60_000]);
                stream.CompleteResponse([new("the-end", "true")]);
                written.SetResult();
                return Task.CompletedTask;
            },
            transportBufferSize: 4_096);
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await written.Task.WaitAsync(Guard);
        var dispose = peer.Server.DisposeAsync();
        var (_, body, trailers) = await peer.ReceiveResponseAsync(1);
        Assert.Equal(60_000, body.Length);
        Assert.Single(trailers);
        await peer.ExpectAsync(Http2FrameType.GoAway, 0);
        await dispose.AsTask().WaitAsync(Guard);
    }

    [Fact]
    public async Task PeerThatReadsNothing_DoesNotHoldUpTheEnd()
    {
        await using var peer = StartSilent(
            Http2FlowControlTests.SendAsync(1_000_000), new Http2ServerOptions { TransportTimeout = TimeSpan.FromMilliseconds(300) }, transportBufferSize: 4_096);
        await peer.SendPrefaceAsync();
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.Server.DisposeAsync().AsTask().WaitAsync(Guard);
        await peer.Run.WaitAsync(Guard);
    }

    [Fact]
    public async Task HandlerThatDoesNotStop_DoesNotHoldUpTheEnd()
    {
        var end = new TaskCompletionSource();
        await using var peer = await StartAsync(_ => end.Task, new Http2ServerOptions { HandlerTimeout = TimeSpan.FromMilliseconds(300) });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.PingAsync();
        await peer.Server.DisposeAsync().AsTask().WaitAsync(Guard);
        end.SetResult();
    }

    [Fact]
    public async Task Dispose_WithoutRun_ClosesTheTransport_AndRunIsRefused()
    {
        var (client, server) = MemoryDuplexStream.CreatePair();
        var connection = new Http2ServerConnection(server, new Http2ServerOptions(), EchoAsync);
        await connection.DisposeAsync();
        await connection.DisposeAsync();
        Assert.Equal(0, await client.ReadAsync(new byte[1]));
        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.RunAsync(CancellationToken.None));
    }

    [Fact]
    public async Task CancelledBeforehand_EndsAtOnce()
    {
        await using var peer = StartSilent(cancellationToken: new CancellationToken(canceled: true));
        await peer.Run.WaitAsync(Guard);
        await peer.ExpectAsync(Http2FrameType.GoAway, 0);
    }

    private static Task WaitForeverAsync(Http2ServerStream stream) => Task.Delay(Timeout.Infinite, stream.Aborted);
}
