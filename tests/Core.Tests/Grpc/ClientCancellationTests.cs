using BuildKit.Grpc;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>Whoever gives a call up, the peer is told by RST_STREAM and the caller by the exception that fits.</summary>
public sealed class ClientCancellationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Token_CancelsAUnaryCall(bool afterHeaders)
    {
        using var cancellation = new CancellationTokenSource();
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var call = channel.CallAsync(options: new CallOptions(CancellationToken: cancellation.Token));
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        if (afterHeaders)
            await peer.WriteHeadersAsync(id);

        await cancellation.CancelAsync();
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        await AssertResetAsync(peer, id);
    }

    [Fact]
    public async Task CancelledToken_SendsNothing()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var options = new CallOptions(CancellationToken: new CancellationToken(true));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => channel.CallAsync(options: options));
        Assert.False(connected.IsCompleted);
    }

    [Fact]
    public async Task Token_EndsAConnectThatHangs()
    {
        using var cancellation = new CancellationTokenSource();
        var connecting = new TaskCompletionSource();
        await using var channel = new GrpcChannel(async cancellationToken =>
        {
            connecting.SetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return Stream.Null;
        });
        var call = channel.CallAsync(options: new CallOptions(CancellationToken: cancellation.Token));
        await connecting.Task.WaitAsync(ClientTestCalls.Guard);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task Token_OfARead_CancelsTheCall()
    {
        using var cancellation = new CancellationTokenSource();
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, default, "go");
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteHeadersAsync(id);

        var reading = call.ResponseStream.MoveNext(cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(ClientTestCalls.Guard));
        await AssertResetAsync(peer, id);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Token_OfAWriteThatWaitsForTheWindow_CancelsTheCall()
    {
        using var cancellation = new CancellationTokenSource();
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var id = (await peer.ReadFrameAsync(FrameType.Headers).WaitAsync(ClientTestCalls.Guard)).StreamId;
        var writing = call.RequestStream.WriteAsync(new string('x', 1 << 20), cancellation.Token).AsTask();
        for (var received = 0; received < 65535;)
            received += (await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard)).Payload.Length;

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(ClientTestCalls.Guard));
        await AssertResetAsync(peer, id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dispose_ResetsTheStream_AndEndsAPendingRead(bool duplex)
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        IAsyncStreamReader<string> reader;
        AsyncCall call;
        if (duplex)
        {
            var duplexCall = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
            (call, reader) = (duplexCall, duplexCall.ResponseStream);
        }
        else
        {
            var serverCall = channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, default, "go");
            (call, reader) = (serverCall, serverCall.ResponseStream);
        }

        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var id = (await peer.ReadFrameAsync(FrameType.Headers).WaitAsync(ClientTestCalls.Guard)).StreamId;
        await peer.WriteHeadersAsync(id);
        await call.ResponseHeadersAsync.WaitAsync(ClientTestCalls.Guard);
        var reading = reader.MoveNext(default);

        call.Dispose();
        await reading.FailAsync(StatusCode.Cancelled);
        await AssertResetAsync(peer, id);
        await reader.MoveNext(default).FailAsync(StatusCode.Cancelled);
    }

    [Fact]
    public async Task Deadline_IsSent_AndKept_ByACall_AndByAStreamThatIsBeingRead()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var (first, second) = (DateTime.UtcNow.AddSeconds(3), DateTime.UtcNow.AddSeconds(3.5));
        var call = channel.CallAsync(options: new CallOptions(Deadline: first));
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, headers, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        Assert.Matches("^[0-9]{1,8}u$", Assert.Single(headers, header => header.Name == "grpc-timeout").Value);
        using var stream = channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, new CallOptions(Deadline: second), "go");
        var (streamId, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteHeadersAsync(streamId);
        var reading = stream.ResponseStream.MoveNext(default);
        await call.FailAsync(StatusCode.DeadlineExceeded);
        await AssertResetAsync(peer, id);
        await reading.FailAsync(StatusCode.DeadlineExceeded);
        await AssertResetAsync(peer, streamId);
    }

    [Fact]
    public async Task Deadline_InThePast_FailsAtOnce_AndOneFarAwayDoesNot()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        await channel.CallAsync(options: new CallOptions(Deadline: DateTime.UtcNow.AddSeconds(-1))).FailAsync(StatusCode.DeadlineExceeded);
        Assert.False(connected.IsCompleted);
        Assert.Throws<ArgumentException>(() => { channel.AsyncUnaryCall(ClientTestCalls.Unary, new CallOptions(Deadline: DateTime.Now), "hello"); });

        var call = channel.CallAsync(options: new CallOptions(Deadline: DateTime.UtcNow.AddDays(300)));
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, headers, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        Assert.Matches("^[0-9]{1,8}S$", Assert.Single(headers, header => header.Name == "grpc-timeout").Value);
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, ClientRawPeer.Message("world"));
        await peer.WriteTrailersAsync(id, ("grpc-status", "0"));
        Assert.Equal("world", await call);
    }

    [Fact]
    public async Task DisposedChannel_EndsItsCalls_ClosesItsConnection_AndTakesNoMore()
    {
        var (channel, connected) = ClientRawPeer.Start();
        var call = channel.CallAsync();
        using var duplex = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);

        await channel.DisposeAsync();
        await channel.DisposeAsync();
        await call.FailAsync(StatusCode.Cancelled);
        await duplex.ResponseStream.MoveNext(default).FailAsync(StatusCode.Cancelled);
        await peer.WaitForCloseAsync().WaitAsync(ClientTestCalls.Guard);
        Assert.Throws<ObjectDisposedException>(() => { channel.AsyncUnaryCall(ClientTestCalls.Unary, default, "hello"); });
    }

    private static async Task AssertResetAsync(ClientRawPeer peer, int streamId)
    {
        var reset = await peer.ReadFrameAsync(FrameType.RstStream).WaitAsync(ClientTestCalls.Guard);
        Assert.Equal(streamId, reset.StreamId);
        Assert.Equal(8u, reset.ErrorCode); // CANCEL, RFC 9113 section 7
    }
}
