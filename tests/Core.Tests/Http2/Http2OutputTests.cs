using System.Buffers;
using BuildKit.Http2;
using BuildKit.Http2.Hpack;
using Xunit;
using static BuildKit.Tests.Http2.Http2TestPeer;

namespace BuildKit.Tests.Http2;

/// <summary>How frames are put together into writes.</summary>
public sealed class Http2OutputTests
{
    private static readonly HeaderField[] Request = Post();

    [Fact]
    public async Task SmallResponse_IsOneWrite()
    {
        await using var peer = await StartAsync(stream =>
        {
            stream.StartResponse([new(":status", "200")]);
            stream.Output.Write("hello"u8);
            stream.CompleteResponse([new("the-end", "true")]);
            return Task.CompletedTask;
        });
        await peer.PingAsync();
        var before = peer.ServerEnd.Writes.Count;
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.ReceiveResponseAsync(1);
        Assert.Equal(before + 1, peer.ServerEnd.Writes.Count);
    }

    [Fact]
    public async Task LargeResponse_TakesFewLargeWrites()
    {
        await using var peer = await StartAsync(stream =>
        {
            stream.StartResponse([new(":status", "200")]);
            stream.Output.Write(new byte[4_000_000]);
            stream.CompleteResponse();
            return Task.CompletedTask;
        });
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x4, int.MaxValue));
        await peer.SendWindowUpdateAsync(0, int.MaxValue - 65_535);
        await peer.PingAsync();
        var before = peer.ServerEnd.Writes.Count;
        await peer.SendHeadersAsync(1, endStream: true, Request);
        var received = 0;
        TestFrame frame;
        do
        {
            frame = await peer.ExpectAsync(next => next.StreamId == 1);
            received += frame.Type == Http2FrameType.Data ? frame.Payload.Length : 0;
        }
        while (!frame.IsEndStream);
        Assert.Equal(4_000_000, received);

        // 128 KiB at a time.
        Assert.InRange(peer.ServerEnd.Writes.Count - before, 1, 4_000_000 / (128 * 1024) + 2);
    }

    [Fact]
    public async Task StreamsTakeTurns()
    {
        var written = new SemaphoreSlim(0);
        await using var peer = await StartAsync(
            stream =>
            {
                stream.StartResponse([new(":status", "200")]);
                stream.Output.Write(new byte[1_000_000]);
                stream.CompleteResponse();
                written.Release();
                return Task.CompletedTask;
            },
            new Http2ServerOptions { MaxWriteSize = 32_768 },
            transportBufferSize: 32_768);

        // Both wait for the connection's window when it opens.
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x4, 2_000_000));
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.SendHeadersAsync(3, endStream: true, Request);
        var received = new int[4];
        while (received.Sum() < 65_535)
            await ReceiveDataAsync();
        Assert.True(await written.WaitAsync(Guard) && await written.WaitAsync(Guard));
        await peer.SendWindowUpdateAsync(0, 3_000_000);
        while (received.Max() < 900_000)
        {
            await ReceiveDataAsync();
            if (received.Sum() > 200_000)
                Assert.InRange(Math.Abs(received[1] - received[3]), 0, 65_535 + 32_768);
        }

        async Task ReceiveDataAsync()
        {
            var frame = await peer.ExpectAsync(next => next.Type == Http2FrameType.Data);
            received[frame.StreamId] += frame.Payload.Length;
        }
    }

    [Fact]
    public async Task WriterIsMadeToWait_WhenItsBufferIsFull()
    {
        var written = 0;
        await using var peer = await StartAsync(
            async stream =>
            {
                stream.StartResponse([new(":status", "200")]);
                while (true)
                {
                    stream.Output.Write(new byte[10_000]);
                    Interlocked.Add(ref written, 10_000);
                    await stream.FlushAsync(stream.Aborted);
                }
            },
            new Http2ServerOptions { StreamSendBufferSize = 50_000 });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        var received = 0;
        while (received < 65_535)
            received += (await peer.ExpectAsync(Http2FrameType.Data, 1)).Payload.Length;

        // The window is used up, and nothing more is sent. The writer stops when its buffer is full, one write beyond it at most,
        // and does not go on before it is half empty.
        await peer.PingAsync();
        await peer.PingAsync();
        Assert.InRange(Volatile.Read(ref written), 65_535, 65_535 + 60_000);
        await peer.SendWindowUpdateAsync(1, 100_000);
        await peer.SendWindowUpdateAsync(0, 100_000);
        while (received < 165_535)
            received += (await peer.ExpectAsync(Http2FrameType.Data, 1)).Payload.Length;
        Assert.InRange(Volatile.Read(ref written), 165_535, 165_535 + 60_000);
    }

    [Fact]
    public async Task ResetStream_FreesAWriterThatWaits()
    {
        var failure = new TaskCompletionSource<Exception?>();
        await using var peer = await StartAsync(async stream =>
        {
            stream.StartResponse([new(":status", "200")]);
            stream.Output.Write(new byte[1_000_000]);
            failure.SetResult(await Record.ExceptionAsync(() => stream.FlushAsync(CancellationToken.None).AsTask()));
        });
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.ExpectAsync(Http2FrameType.Data, 1);
        await peer.SendAsync(Http2FrameType.RstStream, 0, 1, UInt32(8));
        Assert.IsType<Http2StreamException>(await failure.Task.WaitAsync(Guard));

        // Nothing more of it takes from the connection's window: the next one gets what is left of it, to the octet.
        await peer.PingAsync();
    }

    [Fact]
    public async Task HeaderTableSize_OfThePeer_IsFollowed()
    {
        await using var peer = await StartAsync();
        await peer.SendHeadersAsync(1, endStream: true, Request);
        await peer.ReceiveResponseAsync(1);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, Setting(0x1, 0));
        await peer.SendHeadersAsync(3, endStream: true, Request);
        var frame = await peer.ExpectAsync(Http2FrameType.Headers, 3);

        // RFC 7541 section 4.2: the next block begins with the new size.
        Assert.Equal(0x20, frame.Payload[0]);
        peer.Decode(frame);
        var trailers = await peer.ExpectAsync(next => next.IsEndStream);
        Assert.Equal([new HeaderField("the-end", "true")], peer.Decode(trailers));
    }
}
