using System.Buffers;
using BuildKit.Http2;
using BuildKit.Http2.Hpack;
using Xunit;
using static BuildKit.Tests.Http2.Http2TestPeer;

namespace BuildKit.Tests.Http2;

/// <summary>Windows in both directions (RFC 9113 sections 5.2 and 6.9).</summary>
public sealed class Http2FlowControlTests
{
    private static readonly HeaderField[] Request = Post();

    [Fact]
    public async Task Preface_AnnouncesTheWindows()
    {
        await using var peer = StartSilent(options: new Http2ServerOptions { StreamWindowSize = 300_000, ConnectionWindowSize = 3_000_000 });
        var settings = await peer.ReceiveAsync();
        Assert.Equal(Http2FrameType.Settings, settings!.Type);
        Assert.Contains(Convert.ToHexString(Setting(0x4, 300_000)), Convert.ToHexString(settings.Payload), StringComparison.Ordinal);
        var update = await peer.ReceiveAsync();
        Assert.Equal((Http2FrameType.WindowUpdate, 0, 3_000_000 - 65_535), (update!.Type, update.StreamId, update.Increment));
    }

    [Fact]
    public async Task WindowsOpenAsTheHandlerReads_AndNotBefore()
    {
        var mayRead = new SemaphoreSlim(0);
        await using var peer = await StartAsync(
            async stream =>
            {
                await mayRead.WaitAsync();
                await EchoAsync(stream);
            },
            new Http2ServerOptions { StreamWindowSize = 65_535, ConnectionWindowSize = 65_535 });
        await peer.SendHeadersAsync(1, endStream: false, Request);
        for (var i = 0; i < 3; i++)
            await peer.SendDataAsync(1, endStream: false, new byte[16_384]);
        await peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
        var next = await peer.ReceiveAsync();
        Assert.True(next is { Type: Http2FrameType.Ping, IsAck: true }, $"Nothing was read, so nothing is granted, not {next?.Type}.");

        mayRead.Release();
        var (stream, connection) = (0, 0);
        while (stream == 0 || connection == 0)
        {
            var update = await peer.ExpectAsync(frame => frame.Type == Http2FrameType.WindowUpdate);
            if (update.StreamId == 0)
                connection += update.Increment;
            else
                stream += update.Increment;
        }

        // Half of the window has to come together; the rest is not lost but said later.
        Assert.Equal((49_152, 49_152), (stream, connection));
    }

    [Fact]
    public async Task StreamWindowOverrun_ResetsTheStream()
    {
        await using var peer = await StartAsync(WaitForeverAsync, new Http2ServerOptions { StreamWindowSize = 16_384 });
        await peer.SendHeadersAsync(1, endStream: false, Request);
        await peer.SendDataAsync(1, endStream: false, new byte[16_384]);
        await peer.SendDataAsync(1, endStream: false, new byte[1]);
        await peer.ExpectResetAsync(1, Http2ErrorCode.FlowControlError);
        await peer.PingAsync();
    }

    [Fact]
    public async Task ConnectionWindowOverrun_EndsTheConnection()
    {
        await using var peer = await StartAsync(WaitForeverAsync, new Http2ServerOptions { ConnectionWindowSize = 65_535 });
        for (var stream = 1; stream <= 9; stream += 2)
        {
            await peer.SendHeadersAsync(stream, endStream: false, Request);
            await peer.SendDataAsync(stream, endStream: false, new byte[16_384]);
        }

        await peer.ExpectConnectionErrorAsync(Http2ErrorCode.FlowControlError);
    }

    [Theory]
    [InlineData("unread")]
    [InlineData("reset")]
    [InlineData("padding")]
    [InlineData("buffered")]
    public async Task OctetsThatNobodyReads_AreGivenBackToTheConnection(string how)
    {
        // A hundred times the window: it would be used up if any were lost.
        await using var peer = await StartAsync(
            how switch
            {
                "unread" => stream =>
                {
                    stream.StartResponse([new(":status", "200")]);
                    stream.CompleteResponse();
                    return Task.CompletedTask;
                }
                ,
                "buffered" => async stream =>
                {
                    var result = await stream.ReadAsync(stream.Aborted);
                    stream.AdvanceTo(result.Buffer.Start, result.Buffer.Start);
                    stream.StartResponse([new(":status", "200")]);
                    stream.CompleteResponse();
                }
                ,
                "padding" => EchoAsync,
                _ => WaitForeverAsync,
            },
            new Http2ServerOptions { ConnectionWindowSize = 65_535, ResetBudget = 100_000 });
        var window = 65_535;
        for (var id = 1; id < 2 * 400; id += 2)
        {
            await peer.SendHeadersAsync(id, endStream: false, Request);
            if (how == "reset")
                await peer.SendAsync(Http2FrameType.RstStream, 0, id, UInt32(8));
            var payload = how == "padding" ? [255, .. new byte[255]] : new byte[16_384];
            while (window < payload.Length)
                window += (await peer.ExpectAsync(Http2FrameType.WindowUpdate, 0)).Increment;
            window -= payload.Length;
            await peer.SendAsync(Http2FrameType.Data, (byte)(how == "padding" ? 0x9 : 0), id, payload);
        }
    }

    [Fact]
    public async Task LargerThanTheWindow_CanBeAwaitedWhole()
    {
        // As a reader of messages does: it looks at everything, and uses up nothing until all is there.
        var length = 0L;
        await using var peer = await StartAsync(
            async stream =>
            {
                while (true)
                {
                    var result = await stream.ReadAsync(stream.Aborted);
                    if (result.IsCompleted)
                    {
                        length = result.Buffer.Length;
                        stream.AdvanceTo(result.Buffer.End, result.Buffer.End);
                        break;
                    }

                    stream.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                }

                stream.StartResponse([new(":status", "200")]);
                stream.CompleteResponse();
            },
            new Http2ServerOptions { StreamWindowSize = 65_535, ConnectionWindowSize = 65_535 });
        await peer.SendHeadersAsync(1, endStream: false, Request);
        var (stream, connection) = (65_535, 65_535);
        for (var sent = 0; sent < 50; sent++)
        {
            while (stream < 16_384 || connection < 16_384)
            {
                var update = await peer.ExpectAsync(frame => frame.Type == Http2FrameType.WindowUpdate);
                if (update.StreamId == 0)
                    connection += update.Increment;
                else
                    stream += update.Increment;
            }

            stream -= 16_384;
            connection -= 16_384;
            await peer.SendDataAsync(1, sent == 49, new byte[16_384]);
        }

        await peer.ReceiveResponseAsync(1);
        Assert.Equal(50 * 16_384, length);
    }

    [Fact]
    public async Task Responses_StayWithinTheStreamsWindow()
    {
        await using var peer = await StartAsync(SendAsync(200_000));
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x4, 100));
        await peer.SendHeadersAsync(1, endStream: true, Request);
        Assert.Equal(100, (await peer.ExpectAsync(Http2FrameType.Data, 1)).Payload.Length);
        await AssertQuietAsync(peer);

        await peer.SendWindowUpdateAsync(1, 50);
        Assert.Equal(50, (await peer.ExpectAsync(Http2FrameType.Data, 1)).Payload.Length);
        await AssertQuietAsync(peer);

        // A larger initial window counts for streams that are open.
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x4, 107));
        Assert.Equal(7, (await peer.ExpectAsync(Http2FrameType.Data, 1)).Payload.Length);
        await AssertQuietAsync(peer);

        // A smaller one makes the window negative: what is granted then fills the hole first.
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x4, 7));
        await peer.SendWindowUpdateAsync(1, 100);
        await AssertQuietAsync(peer);
        await peer.SendWindowUpdateAsync(1, 3);
        Assert.Equal(3, (await peer.ExpectAsync(Http2FrameType.Data, 1)).Payload.Length);
    }

    [Fact]
    public async Task Responses_StayWithinTheConnectionsWindow_AndGoOnWhenItOpens()
    {
        await using var peer = await StartAsync(SendAsync(60_000));
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.SendHeadersAsync(3, endStream: true, Request);
        var received = 0;
        while (received < 65_535)
            received += (await peer.ExpectAsync(frame => frame.Type == Http2FrameType.Data)).Payload.Length;
        Assert.Equal(65_535, received);
        await AssertQuietAsync(peer);

        await peer.SendWindowUpdateAsync(0, 1_000_000);
        while (received < 120_000)
            received += (await peer.ExpectAsync(frame => frame.Type == Http2FrameType.Data)).Payload.Length;
        Assert.Equal(120_000, received);
    }

    [Fact]
    public async Task EmptyEnd_NeedsNoWindow()
    {
        await using var peer = await StartAsync(SendAsync(0));
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x4, 0));
        await peer.SendHeadersAsync(1, endStream: true, Request);
        var (_, body, _) = await peer.ReceiveResponseAsync(1);
        Assert.Empty(body);
    }

    [Fact]
    public async Task LargerFrames_AreUsed_WhenThePeerAcceptsThem()
    {
        // All at once: what is still being written could otherwise leave in smaller frames.
        await using var peer = await StartAsync(async stream =>
        {
            stream.StartResponse([new(":status", "200")]);
            stream.Output.Write(new byte[60_000]);
            await stream.FlushAsync(stream.Aborted);
            stream.CompleteResponse();
        });
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x5, 40_000));
        await peer.SendHeadersAsync(1, endStream: true, Request);
        Assert.Equal(40_000, (await peer.ExpectAsync(Http2FrameType.Data, 1)).Payload.Length);
    }

    [Fact]
    public async Task StalledStream_BlocksNeitherOthers_NorPings()
    {
        await using var peer = await StartAsync(SendAsync(500_000));
        await peer.SendWindowUpdateAsync(0, 10_000_000);
        await peer.SendHeadersAsync(1, endStream: true, Request);
        var received = 0;
        while (received < 65_535)
            received += (await peer.ExpectAsync(Http2FrameType.Data, 1)).Payload.Length;

        // The first one waits for its window now; it is never opened.
        await peer.PingAsync();
        await peer.SendHeadersAsync(3, endStream: true, Request);
        var (_, body, _) = await peer.ReceiveResponseAsync(3);
        Assert.Equal(500_000, body.Length);
        await peer.PingAsync();
    }

    [Fact]
    public async Task HandlersThatDoNotRead_LeaveRoomForOthers()
    {
        await using var peer = await StartAsync(stream => stream.Id <= 9 ? WaitForeverAsync(stream) : EchoAsync(stream));
        for (var id = 1; id <= 9; id += 2)
        {
            await peer.SendHeadersAsync(id, endStream: false, Request);
            for (var i = 0; i < 64; i++)
                await peer.SendDataAsync(id, endStream: false, new byte[16_384]);
        }

        await peer.SendHeadersAsync(11, endStream: false, Request);
        await peer.SendDataAsync(11, endStream: true, new byte[10_000]);
        var (_, body, _) = await peer.ReceiveResponseAsync(11);
        Assert.Equal(10_000, body.Length);
    }

    internal static Func<Http2ServerStream, Task> SendAsync(int length) => async stream =>
    {
        stream.StartResponse([new(":status", "200")]);
        for (var sent = 0; sent < length; sent += 10_000)
        {
            stream.Output.Write(new byte[Math.Min(10_000, length - sent)]);
            await stream.FlushAsync(stream.Aborted);
        }

        stream.CompleteResponse();
    };

    private static Task WaitForeverAsync(Http2ServerStream stream) => Task.Delay(Timeout.Infinite, stream.Aborted);

    private static async Task AssertQuietAsync(Http2TestPeer peer)
    {
        // What could be sent is sent before the PING is seen, or it is not in the way of the acknowledgement: two rounds settle it.
        for (var round = 0; round < 2; round++)
        {
            await peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
            var next = await peer.ExpectAsync(frame => frame.Type is Http2FrameType.Ping or Http2FrameType.Data);
            Assert.True(next.Type == Http2FrameType.Ping, $"{next.Payload.Length} octets came that no window lets through.");
        }
    }
}
