using System.Text;
using BuildKit.Grpc;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>A peer that breaks the protocol, or the connection, ends a call with the status that gRPC gives to it, and never leaves it hanging.</summary>
public sealed class ClientFaultTests
{
    [Theory]
    [InlineData("400", (int)StatusCode.Internal)]
    [InlineData("401", (int)StatusCode.Unauthenticated)]
    [InlineData("403", (int)StatusCode.PermissionDenied)]
    [InlineData("404", (int)StatusCode.Unimplemented)]
    [InlineData("418", (int)StatusCode.Unknown)]
    [InlineData("429", (int)StatusCode.Unavailable)]
    [InlineData("502", (int)StatusCode.Unavailable)]
    [InlineData("503", (int)StatusCode.Unavailable)]
    [InlineData("504", (int)StatusCode.Unavailable)]
    public async Task HttpStatus_IsMapped(string httpStatus, int expected)
    {
        var failure = await FailAsync(
            (StatusCode)expected, (peer, id) => peer.WriteRawHeadersAsync(id, true, (":status", httpStatus), ("content-type", "text/html")));
        Assert.Contains(httpStatus, failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GrpcStatus_WinsOverHttpStatus()
    {
        var failure = await FailAsync(
            StatusCode.PermissionDenied,
            (peer, id) => peer.WriteRawHeadersAsync(id, true, (":status", "503"), ("grpc-status", "7"), ("grpc-message", "not you")));
        Assert.Equal("not you", failure.Status.Detail);
    }

    [Fact]
    public async Task WrongContentType_IsNamed()
    {
        var failure = await FailAsync(StatusCode.Unknown, async (peer, id) =>
        {
            await peer.WriteRawHeadersAsync(id, false, (":status", "200"), ("content-type", "text/html"));
            await peer.WriteDataAsync(id, Encoding.ASCII.GetBytes("<html>")); // and never ends
        });
        Assert.Contains("text/html", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingStatus_IsAnError() => await FailAsync(StatusCode.Unknown, async (peer, id) =>
    {
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, ClientRawPeer.Message("world"));
        await peer.WriteFrameAsync(FrameType.Data, ClientRawPeer.EndStream, id, Array.Empty<byte>());
    });

    [Theory]
    [InlineData("17")]
    [InlineData("-1")]
    [InlineData("nonsense")]
    public async Task StrangeStatus_IsUnknown(string status)
    {
        var failure = await FailAsync(
            StatusCode.Unknown,
            (peer, id) => peer.WriteRawHeadersAsync(
                id, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", status), ("grpc-message", "why")));
        Assert.Contains("why", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoMessage_IsAnError() => await FailAsync(StatusCode.Internal, async (peer, id) =>
    {
        await peer.WriteHeadersAsync(id);
        await peer.WriteTrailersAsync(id, ("grpc-status", "0"));
    });

    [Fact]
    public async Task TwoMessages_AreAnError() => await FailAsync(StatusCode.Internal, async (peer, id) =>
    {
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, ClientRawPeer.Message("one"));
        await peer.WriteDataAsync(id, ClientRawPeer.Message("two"));
    });

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public async Task TruncatedMessage_IsAnError(int length) => await FailAsync(StatusCode.Internal, async (peer, id) =>
    {
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, ClientRawPeer.Message("hello").AsMemory(0, length));
        await peer.WriteTrailersAsync(id, ("grpc-status", "0"));
    });

    [Fact]
    public async Task CompressedMessage_IsAnError() => await FailAsync(StatusCode.Internal, async (peer, id) =>
    {
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, new byte[] { 1, 0, 0, 0, 1, 9 });
    });

    [Theory]
    [InlineData(17 << 20)]
    [InlineData(-1)]
    public async Task OversizedMessage_IsRefusedByItsPrefix(int size)
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var call = channel.CallAsync();
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, new byte[] { 0, (byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8), (byte)size });
        await call.FailAsync(StatusCode.ResourceExhausted);
        Assert.Equal(id, (await peer.ReadFrameAsync(FrameType.RstStream).WaitAsync(ClientTestCalls.Guard)).StreamId);
    }

    [Fact]
    public async Task MessageOfTheLargestSize_IsAccepted_AndOneByteMoreIsNot()
    {
        var (channel, connected) = ClientRawPeer.Start(new GrpcChannelOptions { MaxReceiveMessageSize = 1000 });
        await using var _ = channel;
        using var call = channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, default, "go");
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, ClientRawPeer.Message(new string('x', 1000)));
        await peer.WriteDataAsync(id, ClientRawPeer.Message(new string('x', 1001)));
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task MessageThatIsTooLargeToSend_IsRefused()
    {
        var (channel, _) = ClientRawPeer.Start(new GrpcChannelOptions { MaxSendMessageSize = 4 });
        await using var _ = channel;
        await channel.CallAsync("hello").FailAsync(StatusCode.ResourceExhausted);

        using var call = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await call.RequestStream.WriteAsync("hello", default).AsTask().FailAsync(StatusCode.ResourceExhausted);
        await call.RequestStream.WriteAsync("hell", default).AsTask().WaitAsync(ClientTestCalls.Guard);
    }

    [Fact]
    public async Task MessageThatCannotBeParsed_IsAnError()
    {
        var broken = new Method<string, string>(
            MethodType.Unary, "test.Echo", "Unary", ClientTestCalls.Text,
            ClientTestCalls.Text with { Deserializer = _ => throw new FormatException("odd bytes") });
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncUnaryCall(broken, default, "hello");
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, ClientRawPeer.Message("world"));
        var failure = await call.ResponseAsync.FailAsync(StatusCode.Internal);
        Assert.IsType<FormatException>(failure.InnerException);
    }

    [Theory]
    [InlineData(0x2, (int)StatusCode.Internal)]
    [InlineData(0x8, (int)StatusCode.Cancelled)]
    [InlineData(0xb, (int)StatusCode.ResourceExhausted)]
    [InlineData(0xc, (int)StatusCode.PermissionDenied)]
    public async Task Reset_IsMapped_BeforeAndAfterTheHeaders(uint errorCode, int expected)
    {
        await FailAsync((StatusCode)expected, (peer, id) => peer.WriteResetAsync(id, errorCode));
        await FailAsync((StatusCode)expected, async (peer, id) =>
        {
            await peer.WriteHeadersAsync(id);
            await peer.WriteResetAsync(id, errorCode);
        });
    }

    [Fact]
    public async Task RefusedStream_IsRepeated_WhereTheRequestIsOneMessage()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var call = channel.CallAsync("again");
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (first, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteResetAsync(first, 0x7);
        var (second, _, body) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        Assert.NotEqual(first, second);
        Assert.Equal(ClientRawPeer.Message("again"), body);
        await peer.WriteHeadersAsync(second);
        await peer.WriteDataAsync(second, ClientRawPeer.Message("done"));
        await peer.WriteTrailersAsync(second, ("grpc-status", "0"));
        Assert.Equal("done", await call);
    }

    [Fact]
    public async Task RefusedStream_IsUnavailable_WhereMessagesWouldBeLost()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        await call.RequestStream.WriteAsync("hello", default);
        var frame = await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard);
        await peer.WriteResetAsync(frame.StreamId, 0x7);
        await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.Unavailable);
    }

    [Fact]
    public async Task GoAway_LetsTheCallFinish_AndTheNextOneConnectAgain()
    {
        var connections = 0;
        var peers = System.Threading.Channels.Channel.CreateUnbounded<ClientRawPeer>();
        await using var channel = new GrpcChannel(async cancellationToken =>
        {
            Interlocked.Increment(ref connections);
            var (client, server) = await ClientRawPeer.ConnectPairAsync(cancellationToken);
            await peers.Writer.WriteAsync(ClientRawPeer.Greet(server), cancellationToken);
            return client;
        });

        for (var i = 1; i <= 2; i++)
        {
            var call = channel.CallAsync();
            await using var peer = await peers.Reader.ReadAsync().AsTask().WaitAsync(ClientTestCalls.Guard);
            var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
            await peer.WriteGoAwayAsync(id, 0);
            await peer.WriteHeadersAsync(id);
            await peer.WriteDataAsync(id, ClientRawPeer.Message("world"));
            await peer.WriteTrailersAsync(id, ("grpc-status", "0"));
            Assert.Equal("world", await call);
            Assert.Equal(i, Volatile.Read(ref connections));
        }
    }

    [Fact]
    public async Task GoAwayWithAnError_AndTheEndOfTheConnection_EndTheCall()
    {
        var failure = await FailAsync(StatusCode.ResourceExhausted, async (peer, id) =>
        {
            await peer.WriteGoAwayAsync(id, 0xb);
            await peer.DisposeAsync();
        });
        Assert.NotNull(failure.InnerException);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ConnectionThatBreaks_IsUnavailable(bool afterHeaders) => await FailAsync(StatusCode.Unavailable, async (peer, id) =>
    {
        if (afterHeaders)
        {
            await peer.WriteHeadersAsync(id);
            await peer.WriteDataAsync(id, ClientRawPeer.Message("hello").AsMemory(0, 7));
        }

        await peer.DisposeAsync();
    });

    [Fact]
    public async Task Nonsense_InsteadOfFrames_EndsTheCall()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var call = channel.CallAsync();
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteBytesAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        var failure = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.NotNull(failure.InnerException);
    }

    [Fact]
    public async Task Writer_GetsTheStatus_WhenThePeerEndsTheCallEarly()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var id = (await peer.ReadFrameAsync(FrameType.Headers).WaitAsync(ClientTestCalls.Guard)).StreamId;
        var writing = call.RequestStream.WriteAsync(new string('x', 1 << 20), default).AsTask(); // more than the window
        await peer.WriteRawHeadersAsync(id, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "9"), ("grpc-message", "enough"));
        await peer.WriteResetAsync(id, 0);

        Assert.Equal("enough", (await writing.FailAsync(StatusCode.FailedPrecondition)).Status.Detail);
        await call.RequestStream.WriteAsync("more", default).AsTask().FailAsync(StatusCode.FailedPrecondition);
        await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.FailedPrecondition);
    }

    [Fact]
    public async Task Writer_LearnsThatTheCallEndedWell()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var id = (await peer.ReadFrameAsync(FrameType.Headers).WaitAsync(ClientTestCalls.Guard)).StreamId;
        await peer.WriteRawHeadersAsync(id, true, (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"));
        Assert.False(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        await call.RequestStream.WriteAsync("more", default).AsTask().FailAsync(StatusCode.OK);

        // The half of the stream that we never ended is reset, so that the peer can forget it.
        Assert.Equal(id, (await peer.ReadFrameAsync(FrameType.RstStream).WaitAsync(ClientTestCalls.Guard)).StreamId);
    }

    private static async Task<RpcException> FailAsync(StatusCode expected, Func<ClientRawPeer, int, Task> answer)
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var call = channel.CallAsync();
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await answer(peer, id);
        return await call.FailAsync(expected);
    }
}
