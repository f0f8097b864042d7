using System.Buffers;
using System.Text;
using BuildKit.Http2;
using BuildKit.Http2.Hpack;
using Xunit;
using static BuildKit.Tests.Http2.Http2TestPeer;

namespace BuildKit.Tests.Http2;

/// <summary>Requests and responses, and what resets one of them while the connection lives on.</summary>
public sealed class Http2StreamTests
{
    private static readonly HeaderField[] Request = Post();

    [Fact]
    public async Task Request_IsAnsweredWithHeadersBodyAndTrailers()
    {
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.SendDataAsync(1, endStream: false, "hel"u8.ToArray());
        await peer.SendDataAsync(1, endStream: true, "lo"u8.ToArray());

        var (headers, body, trailers) = await peer.ReceiveResponseAsync(1);
        Assert.Equal([new(":status", "200")], headers);
        Assert.Equal("hello", Encoding.ASCII.GetString(body));
        Assert.Equal([new("the-end", "true")], trailers);
    }

    [Fact]
    public async Task RequestHeaders_AreGivenToTheHandler()
    {
        Http2RequestHeaders? seen = null;
        await using var peer = await StartAsync(stream =>
        {
            seen = stream.Headers;
            return EchoAsync(stream);
        });
        await peer.SendHeadersAsync(1, endStream: true, Post(new("x-one", "1"), new("x-two", "2"), new("x-one", "3")));
        await peer.ReceiveResponseAsync(1);
        Assert.Equal(("POST", "/test", "test", "http"), (seen!.Method, seen.Path, seen.Authority, seen.Scheme));
        Assert.Equal([new("x-one", "1"), new("x-two", "2"), new("x-one", "3")], seen.Fields);
        Assert.Equal("1", seen.GetValue("x-one"));
        Assert.Null(seen.GetValue("x-three"));
    }

    [Fact]
    public async Task Padding_Priority_AndContinuation_ArePartOfTheFormOnly()
    {
        await using var peer = await StartAsync();
        var block = peer.Encode(Post(new HeaderField("x-padded", new string('p', 300))));
        await peer.SendAsync(Http2FrameType.Headers, 0x28, 1, [3, 0x80, 0, 0, 0, 200, .. block[..100], 0, 0, 0]);
        await peer.SendAsync(Http2FrameType.Continuation, 0, 1, block[100..150]);
        await peer.SendAsync(Http2FrameType.Continuation, 0, 1, []);
        await peer.SendAsync(Http2FrameType.Continuation, 0x4, 1, block[150..]);
        await peer.SendAsync(Http2FrameType.Data, 0x8, 1, [4, (byte)'o', (byte)'k', 0, 0, 0, 0]);
        await peer.SendAsync(Http2FrameType.Data, 0x9, 1, 0);
        var (_, body, _) = await peer.ReceiveResponseAsync(1);
        Assert.Equal("ok", Encoding.ASCII.GetString(body));
    }

    [Fact]
    public async Task UnknownFrames_Settings_AndFlags_AreIgnored()
    {
        await using var peer = await StartAsync();
        await peer.SendAsync((Http2FrameType)0xFA, 0xFF, 0, 1, 2, 3);
        await peer.SendAsync((Http2FrameType)0xFA, 0xFF, 99, 1, 2, 3);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x99, 1));
        await peer.SendAsync(Http2FrameType.Priority, 0, 11, 0, 0, 0, 0, 1);
        await peer.SendAsync(Http2FrameType.Ping, 0xFE, 0, new byte[8]);
        await peer.ExpectAsync(frame => frame is { Type: Http2FrameType.Ping, IsAck: true });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.ReceiveResponseAsync(1);
    }

    [Fact]
    public async Task TheReservedBit_OfAStreamNumber_IsIgnored()
    {
        await using var peer = await StartAsync();
        await peer.SendAsync(Http2FrameType.Headers, 0x5, unchecked((int)0x8000_0001), peer.Encode(Request));
        await peer.ReceiveResponseAsync(1);
    }

    [Fact]
    public async Task Trailers_EndARequest()
    {
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.SendDataAsync(1, endStream: false, "x"u8.ToArray());
        await peer.SendHeadersAsync(1, endStream: true, new HeaderField("x-checksum", "1"));
        var (_, body, _) = await peer.ReceiveResponseAsync(1);
        Assert.Equal("x", Encoding.ASCII.GetString(body));
    }

    public static TheoryData<string, string[]> MalformedRequests => new()
    {
        { "8.2.1: upper case", [":method|POST", ":scheme|http", ":path|/", "X-Upper|1"] },
        { "8.2.1: a space in a name", [":method|POST", ":scheme|http", ":path|/", "x y|1"] },
        { "8.2.1: a colon in a name", [":method|POST", ":scheme|http", ":path|/", "x:y|1"] },
        { "8.2.1: a name above ASCII", [":method|POST", ":scheme|http", ":path|/", "x\u00e9|1"] },
        { "8.2.1: no name", [":method|POST", ":scheme|http", ":path|/", "|1"] },
        { "8.2.1: a line feed in a value", [":method|POST", ":scheme|http", ":path|/", "x|1\n2"] },
        { "8.2.1: a NUL in a pseudo-header", [":method|POST", ":scheme|http", ":path|/\0"] },
        { "8.2.1: white space around a value", [":method|POST", ":scheme|http", ":path|/", "x| 1"] },
        { "8.2.2: connection", [":method|POST", ":scheme|http", ":path|/", "connection|close"] },
        { "8.2.2: transfer-encoding", [":method|POST", ":scheme|http", ":path|/", "transfer-encoding|chunked"] },
        { "8.2.2: te other than trailers", [":method|POST", ":scheme|http", ":path|/", "te|gzip"] },
        { "8.3: unknown pseudo-header", [":method|POST", ":scheme|http", ":path|/", ":what|1"] },
        { "8.3: pseudo-header of a response", [":method|POST", ":scheme|http", ":path|/", ":status|200"] },
        { "8.3: pseudo-header after a header", [":method|POST", ":scheme|http", "x|1", ":path|/"] },
        { "8.3.1: twice", [":method|POST", ":method|POST", ":scheme|http", ":path|/"] },
        { "8.3.1: no method", [":scheme|http", ":path|/"] },
        { "8.3.1: no scheme", [":method|POST", ":path|/"] },
        { "8.3.1: no path", [":method|POST", ":scheme|http"] },
        { "8.3.1: empty path", [":method|POST", ":scheme|http", ":path|"] },
        { "8.5: CONNECT with a path", [":method|CONNECT", ":authority|x", ":path|/"] },
        { "8.1.1: content-length that is no number", [":method|POST", ":scheme|http", ":path|/", "content-length|-1"] },
        { "8.1.1: two content-lengths", [":method|POST", ":scheme|http", ":path|/", "content-length|1", "content-length|2"] },
        { "8.1.1: content-length without a body", [":method|POST", ":scheme|http", ":path|/", "content-length|1"] },
    };

    [Theory]
    [MemberData(nameof(MalformedRequests))]
    public async Task MalformedRequest_IsReset_AndTheConnectionLivesOn(string rule, string[] fields)
    {
        var begun = 0;
        await using var peer = await StartAsync(stream =>
        {
            Interlocked.Increment(ref begun);
            return EchoAsync(stream);
        });
        await peer.SendHeadersAsync(1, endStream: true, [.. fields.Select(field => field.Split('|')).Select(parts => new HeaderField(parts[0], parts[1]))]);
        var reset = await peer.ExpectAsync(Http2FrameType.RstStream, 1);
        Assert.True(reset.ErrorCode == Http2ErrorCode.ProtocolError, rule);

        await peer.SendHeadersAsync(3, endStream: true, Request);
        await peer.ReceiveResponseAsync(3);
        Assert.Equal(1, begun);
    }

    [Theory]
    [InlineData(3, 2)]
    [InlineData(3, 4)]
    public async Task BodyOfAnotherLengthThanAnnounced_IsReset(int announced, int sent)
    {
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(1, endStream: false, Post(new HeaderField("content-length", announced.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        await peer.SendDataAsync(1, endStream: true, new byte[sent]);
        await peer.ExpectResetAsync(1, Http2ErrorCode.ProtocolError);
        await peer.PingAsync();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task WrongTrailers_AreReset(bool endStream, bool pseudoHeader)
    {
        await using var peer = await StartAsync(WaitForeverAsync);
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.SendHeadersAsync(1, endStream, pseudoHeader ? new HeaderField(":path", "/") : new HeaderField("x", "1"));
        await peer.ExpectResetAsync(1, Http2ErrorCode.ProtocolError);
        await peer.PingAsync();
    }

    [Theory]
    [InlineData(Http2FrameType.Data)]
    [InlineData(Http2FrameType.Headers)]
    internal async Task MoreAfterTheEnd_IsReset(Http2FrameType type)
    {
        await using var peer = await StartAsync(WaitForeverAsync);
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.SendAsync(type, 0x5, 1, type == Http2FrameType.Data ? [1] : peer.Encode(new HeaderField("x", "1")));
        await peer.ExpectResetAsync(1, Http2ErrorCode.StreamClosed);
        await peer.PingAsync();
    }

    [Fact]
    public async Task DataOnAStreamThatThePeerClosed_IsReset()
    {
        await using var peer = await StartAsync(WaitForeverAsync);
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.SendAsync(Http2FrameType.RstStream, 0, 1, UInt32(8));
        await peer.SendDataAsync(1, endStream: false, 1);
        await peer.ExpectResetAsync(1, Http2ErrorCode.StreamClosed);
        await peer.PingAsync();
    }

    [Fact]
    public async Task FramesUnderWay_WhenWeReset_AreIgnored()
    {
        await using var peer = await StartAsync(stream => throw new InvalidOperationException("no"));
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.ExpectResetAsync(1, Http2ErrorCode.InternalError);

        await peer.SendDataAsync(1, endStream: false, 1, 2, 3);
        await peer.SendWindowUpdateAsync(1, 10);
        await peer.SendHeadersAsync(1, endStream: true, new HeaderField("x", "1"));
        await peer.SendAsync(Http2FrameType.RstStream, 0, 1, UInt32(8));
        var opaque = new byte[8];
        await peer.SendAsync(Http2FrameType.Ping, 0, 0, opaque);
        var next = await peer.ReceiveAsync();
        Assert.True(next is { Type: Http2FrameType.Ping, IsAck: true }, $"Nothing but the PING is answered, not {next?.Type}.");
    }

    [Fact]
    public async Task ResetByThePeer_CancelsTheHandler_AndFailsItsReadsAndWrites()
    {
        var failures = new TaskCompletionSource<(Exception? Read, Exception? Flush, bool Cancelled)>();
        await using var peer = await StartAsync(async stream =>
        {
            stream.StartResponse([new(":status", "200")]);
            await stream.FlushAsync(CancellationToken.None);
            var read = await Record.ExceptionAsync(() => stream.ReadAsync(CancellationToken.None).AsTask());
            stream.Output.Write("x"u8);
            var flush = await Record.ExceptionAsync(() => stream.FlushAsync(CancellationToken.None).AsTask());
            await Task.Delay(Timeout.Infinite, stream.Aborted).ContinueWith(_ => { }, TaskScheduler.Default);
            failures.SetResult((read, flush, stream.Aborted.IsCancellationRequested));
        });
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.ExpectAsync(Http2FrameType.Headers, 1);
        await peer.SendAsync(Http2FrameType.RstStream, 0, 1, UInt32(8));

        var (read, flush, cancelled) = await failures.Task.WaitAsync(Guard);
        Assert.Equal(Http2ErrorCode.Cancel, Assert.IsType<Http2StreamException>(read).ErrorCode);
        Assert.Equal(Http2ErrorCode.Cancel, Assert.IsType<Http2StreamException>(flush).ErrorCode);
        Assert.True(cancelled);
        await peer.PingAsync();
    }

    [Fact]
    public async Task HandlerThatThrowsInTheMiddle_ResetsTheStream_SoThatTheResponseDoesNotLookWhole()
    {
        await using var peer = await StartAsync(async stream =>
        {
            stream.StartResponse([new(":status", "200")]);
            stream.Output.Write("half"u8);
            await stream.FlushAsync(CancellationToken.None);
            throw new IOException("disk");
        });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.ExpectResetAsync(1, Http2ErrorCode.InternalError);
        await peer.PingAsync();
    }

    [Fact]
    public async Task HandlerThatForgetsToComplete_ResetsTheStream()
    {
        await using var peer = await StartAsync(stream =>
        {
            stream.StartResponse([new(":status", "200")]);
            return Task.CompletedTask;
        });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.ExpectResetAsync(1, Http2ErrorCode.InternalError);
    }

    [Fact]
    public async Task ResponseBeforeTheRequestEnds_IsFollowedByNoError()
    {
        await using var peer = await StartAsync(stream =>
        {
            stream.StartResponse([new(":status", "200")]);
            stream.CompleteResponse([new("early", "yes")]);
            return Task.CompletedTask;
        });
        await peer.SendHeadersAsync(1, endStream: false, Request);
        var (_, _, trailers) = await peer.ReceiveResponseAsync(1);
        Assert.Equal([new("early", "yes")], trailers);
        await peer.ExpectResetAsync(1, Http2ErrorCode.NoError);

        // What was under way is ignored.
        await peer.SendDataAsync(1, endStream: true, 1, 2, 3);
        await peer.PingAsync();
    }

    [Fact]
    public async Task ResponseWithoutBodyAndTrailers_IsOneFrame()
    {
        await using var peer = await StartAsync(stream =>
        {
            stream.StartResponse([new(":status", "204")]);
            stream.CompleteResponse();
            return Task.CompletedTask;
        });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        var frame = await peer.ExpectAsync(Http2FrameType.Headers, 1);
        Assert.True(frame.IsEndStream);
    }

    [Fact]
    public async Task WindowUpdates_OfAStream_ThatAreWrong_ResetIt()
    {
        await using var peer = await StartAsync(WaitForeverAsync);
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.SendWindowUpdateAsync(1, 0);
        await peer.ExpectResetAsync(1, Http2ErrorCode.ProtocolError);
        await peer.SendHeadersAsync(3, endStream: false, Request);
        await peer.SendWindowUpdateAsync(3, int.MaxValue);
        await peer.ExpectResetAsync(3, Http2ErrorCode.FlowControlError);
        await peer.PingAsync();
    }

    [Fact]
    public async Task LargeHeaders_OfTheResponse_AreContinued_WithinThePeersFrameSize()
    {
        var value = string.Concat(Enumerable.Range(0, 50_000).Select(i => (char)(0x80 + (i % 100))));
        await using var peer = await StartAsync(stream =>
        {
            stream.StartResponse([new(":status", "200"), new("x-large", value)]);
            stream.CompleteResponse();
            return Task.CompletedTask;
        });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        var frame = await peer.ExpectAsync(Http2FrameType.Headers, 1);
        Assert.True(frame.IsEndStream);
        var block = new List<byte>(frame.Payload);
        var continuations = 0;
        while ((frame.Flags & 0x4) == 0)
        {
            frame = (await peer.ReceiveAsync())!;
            Assert.Equal((Http2FrameType.Continuation, 1), (frame.Type, frame.StreamId));
            Assert.InRange(frame.Payload.Length, 1, 16_384);
            block.AddRange(frame.Payload);
            continuations++;
        }

        Assert.InRange(continuations, 3, 6);
        Assert.Equal(value, peer.Decode(new TestFrame(Http2FrameType.Headers, 0x4, 1, [.. block]))[1].Value);
    }

    private static Task WaitForeverAsync(Http2ServerStream stream) => Task.Delay(Timeout.Infinite, stream.Aborted);
}
