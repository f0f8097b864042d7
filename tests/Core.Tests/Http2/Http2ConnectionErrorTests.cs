using System.Text;
using BuildKit.Http2;
using BuildKit.Http2.Hpack;
using Xunit;
using static BuildKit.Tests.Http2.Http2TestPeer;

namespace BuildKit.Tests.Http2;

/// <summary>What ends a connection, and with which error code (RFC 9113).</summary>
public sealed class Http2ConnectionErrorTests
{
    private static readonly HeaderField[] Request = Post();

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")]
    [InlineData("x")]
    public async Task WrongPreface_IsAProtocolError(string preface)
    {
        await using var peer = StartSilent();
        await peer.SendRawAsync(Encoding.ASCII.GetBytes(preface));
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.ProtocolError);
    }

    [Fact]
    public async Task FirstFrame_MustBeSettings()
    {
        await using var peer = StartSilent();
        await peer.SendPrefaceAsync();
        await peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.ProtocolError);
    }

    [Fact]
    public async Task FirstFrame_MustNotBeAnAcknowledgement()
    {
        await using var peer = StartSilent();
        await peer.SendPrefaceAsync();
        await peer.SendAsync(Http2FrameType.Settings, 1, 0, []);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.ProtocolError);
    }

    [Theory]
    [InlineData(Http2FrameType.Data, 0, 0, 4, Http2ErrorCode.ProtocolError, "6.1: DATA on stream 0")]
    [InlineData(Http2FrameType.Data, 0, 1, 4, Http2ErrorCode.ProtocolError, "5.1: DATA on an idle stream")]
    [InlineData(Http2FrameType.Data, 0, 2, 4, Http2ErrorCode.ProtocolError, "5.1: DATA on a stream that only we could open")]
    [InlineData(Http2FrameType.Headers, 5, 0, 1, Http2ErrorCode.ProtocolError, "6.2: HEADERS on stream 0")]
    [InlineData(Http2FrameType.Headers, 5, 2, 1, Http2ErrorCode.ProtocolError, "5.1.1: HEADERS on an even stream")]
    [InlineData(Http2FrameType.Headers, 0x2D, 1, 5, Http2ErrorCode.FrameSizeError, "6.2: no room for a priority")]
    [InlineData(Http2FrameType.Headers, 0x0D, 1, 0, Http2ErrorCode.FrameSizeError, "6.2: no room for the padding's length")]
    [InlineData(Http2FrameType.Priority, 0, 0, 5, Http2ErrorCode.ProtocolError, "6.3: PRIORITY on stream 0")]
    [InlineData(Http2FrameType.Priority, 0, 1, 4, Http2ErrorCode.FrameSizeError, "6.3: PRIORITY of 4 octets")]
    [InlineData(Http2FrameType.RstStream, 0, 0, 4, Http2ErrorCode.ProtocolError, "6.4: RST_STREAM on stream 0")]
    [InlineData(Http2FrameType.RstStream, 0, 1, 4, Http2ErrorCode.ProtocolError, "6.4: RST_STREAM on an idle stream")]
    [InlineData(Http2FrameType.Settings, 0, 1, 0, Http2ErrorCode.ProtocolError, "6.5: SETTINGS on a stream")]
    [InlineData(Http2FrameType.Settings, 0, 0, 5, Http2ErrorCode.FrameSizeError, "6.5: SETTINGS of 5 octets")]
    [InlineData(Http2FrameType.Settings, 1, 0, 6, Http2ErrorCode.FrameSizeError, "6.5: an acknowledgement with a payload")]
    [InlineData(Http2FrameType.PushPromise, 4, 1, 5, Http2ErrorCode.ProtocolError, "8.4: PUSH_PROMISE of a client")]
    [InlineData(Http2FrameType.Ping, 0, 1, 8, Http2ErrorCode.ProtocolError, "6.7: PING on a stream")]
    [InlineData(Http2FrameType.Ping, 0, 0, 7, Http2ErrorCode.FrameSizeError, "6.7: PING of 7 octets")]
    [InlineData(Http2FrameType.GoAway, 0, 1, 8, Http2ErrorCode.ProtocolError, "6.8: GOAWAY on a stream")]
    [InlineData(Http2FrameType.GoAway, 0, 0, 7, Http2ErrorCode.FrameSizeError, "6.8: GOAWAY of 7 octets")]
    [InlineData(Http2FrameType.WindowUpdate, 0, 0, 4, Http2ErrorCode.ProtocolError, "6.9: an increment of 0 for the connection")]
    [InlineData(Http2FrameType.WindowUpdate, 0, 0, 3, Http2ErrorCode.FrameSizeError, "6.9: WINDOW_UPDATE of 3 octets")]
    [InlineData(Http2FrameType.WindowUpdate, 0, 1, 4, Http2ErrorCode.ProtocolError, "5.1: WINDOW_UPDATE on an idle stream")]
    [InlineData(Http2FrameType.Continuation, 4, 1, 1, Http2ErrorCode.ProtocolError, "6.10: CONTINUATION without HEADERS")]
    [InlineData(Http2FrameType.Headers, 5, 1, 1, Http2ErrorCode.CompressionError, "4.3: a header block that refers to index 0", 0x80)]
    [InlineData(Http2FrameType.Data, 0, 1, 16_385, Http2ErrorCode.FrameSizeError, "4.2: a frame over the limit")]
    [InlineData((Http2FrameType)0x77, 0, 1, 16_385, Http2ErrorCode.FrameSizeError, "4.2: an unknown frame over the limit")]
    internal async Task SingleFrames(Http2FrameType type, int flags, int streamId, int length, Http2ErrorCode expected, string rule, byte fill = 0)
    {
        await using var peer = await StartAsync();
        var payload = new byte[length];
        Array.Fill(payload, fill);
        await peer.SendAsync(type, (byte)flags, streamId, payload);
        var goAway = await peer.ExpectConnectionErrorAsync(expected);
        Assert.True(goAway.Payload.Length > 8, $"{rule}: GOAWAY says in words why.");
    }

    [Theory]
    [InlineData(0x2, 2u, Http2ErrorCode.ProtocolError)]
    [InlineData(0x4, 0x8000_0000u, Http2ErrorCode.FlowControlError)]
    [InlineData(0x5, 16_383u, Http2ErrorCode.ProtocolError)]
    [InlineData(0x5, 16_777_216u, Http2ErrorCode.ProtocolError)]
    internal async Task ForbiddenSettings(int id, uint value, Http2ErrorCode expected)
    {
        await using var peer = await StartAsync();
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(id, value));
        await peer.ExpectConnectionErrorAsync(expected);
    }

    [Fact]
    public async Task InitialWindow_ThatMakesAStreamOverflow_IsAFlowControlError()
    {
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.SendWindowUpdateAsync(1, int.MaxValue - 65_535);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x4, 65_536));
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.FlowControlError);
    }

    [Fact]
    public async Task ConnectionWindow_ThatOverflows_IsAFlowControlError()
    {
        await using var peer = await StartAsync();
        await peer.SendWindowUpdateAsync(0, int.MaxValue);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.FlowControlError);
    }

    [Theory]
    [InlineData(Http2FrameType.Ping, 0, 8)]
    [InlineData(Http2FrameType.Data, 1, 1)]
    [InlineData(Http2FrameType.Continuation, 3, 1)]
    [InlineData((Http2FrameType)0x42, 1, 1)]
    internal async Task InterruptedHeaderBlock_IsAProtocolError(Http2FrameType type, int streamId, int length)
    {
        await using var peer = await StartAsync();
        await peer.SendAsync(Http2FrameType.Headers, 0x1, 1, peer.Encode(Request));
        await peer.SendAsync(type, 0, streamId, new byte[length]);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.ProtocolError);
    }

    [Theory]
    [InlineData(Http2FrameType.Data)]
    [InlineData(Http2FrameType.Headers)]
    internal async Task PaddingLongerThanTheFrame_IsAProtocolError(Http2FrameType type)
    {
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.SendAsync(type, 0x0D, type == Http2FrameType.Data ? 1 : 3, 4, 0, 0, 0);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.ProtocolError);
    }

    [Fact]
    public async Task HeadersOnAClosedStream_AreAConnectionError()
    {
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.ReceiveResponseAsync(1);
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.StreamClosed);
    }

    [Fact]
    public async Task HeadersOnASkippedStream_AreAConnectionError()
    {
        // Section 5.1.1: a stream with a lower number than one that was used is closed.
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(5, endStream: true, Request);
        await peer.ReceiveResponseAsync(5);
        await peer.SendHeadersAsync(3, endStream: true, Request);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.StreamClosed);
    }

    [Fact]
    public async Task GoAway_NamesTheLastStreamThatWasBegun()
    {
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(7, endStream: true, Request);
        await peer.ReceiveResponseAsync(7);
        await peer.SendAsync(Http2FrameType.Ping, 0, 0, 1);
        var goAway = await peer.ExpectConnectionErrorAsync(Http2ErrorCode.FrameSizeError);
        Assert.Equal([0, 0, 0, 7], goAway.Payload[..4]);
    }

    [Fact]
    public async Task ConnectionError_CancelsTheRequestsThatRun()
    {
        var cancelled = new TaskCompletionSource();
        await using var peer = await StartAsync(async stream =>
        {
            stream.Aborted.Register(() => cancelled.TrySetResult());
            await stream.ReadAsync(CancellationToken.None);
        });
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.PingAsync();
        await peer.SendAsync(Http2FrameType.Ping, 0, 0, 1);
        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.FrameSizeError);
        await cancelled.Task.WaitAsync(Guard);
    }
}
