using System.Text;
using BuildKit.Grpc;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>Calls that go well, on a peer that follows the protocol.</summary>
public sealed class ClientCallTests
{
    [Fact]
    public async Task Unary_SendsOneMessage_AndReturnsTheOneThatComesBack()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncUnaryCall(ClientTestCalls.Unary, default, "hello");
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);

        var (id, headers, body) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        Assert.Equal(ClientRawPeer.Message("hello"), body);
        Assert.Contains(headers, header => header.Value == "/test.Echo/Unary");
        Assert.Contains(headers, header => header.Value == "buildkit");
        Assert.Contains(headers, header => header.Value == "application/grpc");
        Assert.Contains(("te", "trailers"), headers);
        Assert.DoesNotContain(headers, header => header.Name is "traceparent" or "grpc-timeout" or "accept-encoding");

        await peer.WriteHeadersAsync(id, ("greeting", "good day"));
        await peer.WriteDataAsync(id, ClientRawPeer.Message("world"));
        await peer.WriteTrailersAsync(id, ("grpc-status", "0"), ("parting", "good night"));

        Assert.Equal("world", await call.ResponseAsync.WaitAsync(ClientTestCalls.Guard));
        Assert.Equal("good day", (await call.ResponseHeadersAsync).GetValue("greeting"));
        Assert.Equal("good night", call.GetTrailers().GetValue("parting"));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task ServerStreaming_YieldsMessagesAsTheyCome_AndEndsWithTheStatus()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, default, "go");
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);

        await peer.WriteHeadersAsync(id);
        foreach (var text in new[] { "one", string.Empty, "three" })
        {
            await peer.WriteDataAsync(id, ClientRawPeer.Message(text));
            Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
            Assert.Equal(text, call.ResponseStream.Current);
        }

        await peer.WriteTrailersAsync(id, ("grpc-status", "5"), ("grpc-message", "no such thing"));
        var failure = await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.NotFound);
        Assert.Equal("no such thing", failure.Status.Detail);
        await call.ResponseStream.MoveNext(default).FailAsync(StatusCode.NotFound);
    }

    [Fact]
    public async Task ClientStreaming_SendsEachMessageAtOnce_AndEndsWithComplete()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncClientStreamingCall(ClientTestCalls.ClientStreaming, default);
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var id = (await peer.ReadFrameAsync(FrameType.Headers).WaitAsync(ClientTestCalls.Guard)).StreamId;

        await call.RequestStream.WriteAsync("one", default);
        Assert.Equal(ClientRawPeer.Message("one"), (await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard)).Payload);
        await call.RequestStream.WriteAsync("two", default);
        Assert.Equal(ClientRawPeer.Message("two"), (await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard)).Payload);
        await call.RequestStream.CompleteAsync();
        Assert.True((await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard)).IsEndStream);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await call.RequestStream.WriteAsync("three", default));

        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, ClientRawPeer.Message("both"));
        await peer.WriteTrailersAsync(id, ("grpc-status", "0"));
        Assert.Equal("both", await call.ResponseAsync.WaitAsync(ClientTestCalls.Guard));
    }

    [Fact]
    public async Task Duplex_ReadsAndWritesAtTheSameTime()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var id = (await peer.ReadFrameAsync(FrameType.Headers).WaitAsync(ClientTestCalls.Guard)).StreamId;
        await peer.WriteHeadersAsync(id);

        for (var i = 0; i < 100; i++)
        {
            var reading = call.ResponseStream.MoveNext(default);
            await call.RequestStream.WriteAsync($"message {i}", default);
            var frame = await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard);
            await peer.WriteDataAsync(id, frame.Payload);
            Assert.True(await reading.WaitAsync(ClientTestCalls.Guard));
            Assert.Equal($"message {i}", call.ResponseStream.Current);
        }

        await call.RequestStream.CompleteAsync();
        await peer.WriteTrailersAsync(id, ("grpc-status", "0"));
        Assert.False(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
        Assert.False(await call.ResponseStream.MoveNext(default).WaitAsync(ClientTestCalls.Guard));
    }

    [Fact]
    public async Task Metadata_TravelsBothWays_TextAndBytes()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var sent = new Metadata
        {
            { "single", "a, b" }, { "data-bin", [0xff, 0x00, 0x10, 0x20] }, { "Repeated", "one" }, { "repeated", "two, three" }, { "repeated", string.Empty },
        };
        using var call = channel.AsyncUnaryCall(ClientTestCalls.Unary, new CallOptions(sent), "hello");
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);

        var (id, headers, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        Assert.Contains(("single", "a, b"), headers);
        Assert.Contains(("data-bin", "/wAQIA"), headers);
        Assert.Equal(["one", "two, three", string.Empty], headers.Where(header => header.Name == "repeated").Select(header => header.Value));

        await peer.WriteHeadersAsync(
            id, ("padded-bin", "/wAQIA=="), ("unpadded-bin", "/wAQIA"), ("joined-bin", "AQ,Ag=="), ("twice", "1"), ("twice", "2"), ("odd!name", "x"));
        await peer.WriteDataAsync(id, ClientRawPeer.Message("world"));
        await peer.WriteTrailersAsync(id, ("grpc-status", "0"), ("trail-bin", "Aw"));

        var received = await call.ResponseHeadersAsync.WaitAsync(ClientTestCalls.Guard);
        Assert.Equal([0xff, 0x00, 0x10, 0x20], received.GetValueBytes("padded-bin"));
        Assert.Equal([0xff, 0x00, 0x10, 0x20], received.GetValueBytes("unpadded-bin"));
        Assert.Equal([[1], [2]], received.GetAll("joined-bin").Select(entry => entry.ValueBytes));
        Assert.Equal(["1", "2"], received.GetAll("twice").Select(entry => entry.Value));
        await call.ResponseAsync.WaitAsync(ClientTestCalls.Guard);
        Assert.Equal([3], call.GetTrailers().GetValueBytes("trail-bin"));
    }

    [Fact]
    public async Task TrailersOnly_GivesTheDecodedMessage_AndTheDetails()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var call = channel.CallAsync();
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteRawHeadersAsync(
            id, true, (":status", "200"), ("content-type", "application/grpc+proto"), ("grpc-status", "3"),
            ("grpc-message", "zu gro%C3%9F: 100%25%0A\"x\""),
            ("grpc-status-details-bin", Convert.ToBase64String(Encoding.UTF8.GetBytes("details")).TrimEnd('=')));

        var failure = await call.FailAsync(StatusCode.InvalidArgument);
        Assert.Equal("zu groß: 100%\n\"x\"", failure.Status.Detail);
        Assert.Equal("details", Encoding.UTF8.GetString(failure.Trailers.GetValueBytes("grpc-status-details-bin")!));
        Assert.Null(failure.InnerException);
    }

    [Fact]
    public async Task Details_MayBeAsLargeAsADockerfile()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        var call = channel.CallAsync();
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        var details = new byte[1_500_000];
        new Random(1).NextBytes(details);
        await peer.WriteHeadersAsync(id);
        await peer.WriteTrailersAsync(id, ("grpc-status", "2"), ("grpc-status-details-bin", Convert.ToBase64String(details)));
        Assert.Equal(details, (await call.FailAsync(StatusCode.Unknown)).Trailers.GetValueBytes("grpc-status-details-bin"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    [InlineData(16384)]
    public async Task Messages_AreFoundWhateverTheFrames(int frameSize)
    {
        var texts = new[] { "short", string.Empty, new string('m', 20_000), "x", new string('l', frameSize == 1 ? 17_000 : 700_000), "end" };
        var wire = texts.SelectMany(ClientRawPeer.Message).ToArray();
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncServerStreamingCall(ClientTestCalls.ServerStreaming, default, "go");
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteHeadersAsync(id);

        var writing = Task.Run(async () =>
        {
            for (var start = 0; start < wire.Length; start += frameSize)
                await peer.WriteFrameAsync(FrameType.Data, 0, id, wire.AsMemory(start, Math.Min(frameSize, wire.Length - start)));
            await peer.WriteTrailersAsync(id, ("grpc-status", "0"));
        });
        var received = new List<string>();
        await foreach (var text in call.ResponseStream.ReadAllAsync())
            received.Add(text);
        await writing;
        Assert.Equal(texts, received);
    }

    [Fact]
    public async Task Write_WaitsForFlowControl()
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        using var call = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        await using var peer = await connected.WaitAsync(ClientTestCalls.Guard);
        var id = (await peer.ReadFrameAsync(FrameType.Headers).WaitAsync(ClientTestCalls.Guard)).StreamId;

        var payload = new string('x', 65535); // with its prefix five bytes more than the window that every stream begins with (RFC 9113, section 6.9.2)
        var writing = call.RequestStream.WriteAsync(payload, default).AsTask();
        var received = 0;
        while (received < 65535)
            received += (await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard)).Payload.Length;
        Assert.Equal(65535, received);
        Assert.False(writing.IsCompleted);

        await peer.WriteFrameAsync(FrameType.WindowUpdate, 0, 0, new byte[] { 0, 0, 1, 0 });
        await peer.WriteFrameAsync(FrameType.WindowUpdate, 0, id, new byte[] { 0, 0, 1, 0 });
        Assert.Equal(5, (await peer.ReadFrameAsync(FrameType.Data).WaitAsync(ClientTestCalls.Guard)).Payload.Length);
        await writing.WaitAsync(ClientTestCalls.Guard);
    }

    [Theory]
    [InlineData("Grpc-Timeout", "1S")]
    [InlineData("te", "gzip")]
    [InlineData("content-length", "5")]
    [InlineData("key", "gr\u00fcn")]
    [InlineData("key", "two\nlines")]
    public async Task Metadata_ThatCannotBeSent_IsRefusedBeforeAnythingIsSent(string key, string value)
    {
        var (channel, connected) = ClientRawPeer.Start();
        await using var _ = channel;
        Assert.Throws<ArgumentException>(() => { channel.AsyncUnaryCall(ClientTestCalls.Unary, new CallOptions(new Metadata { { key, value } }), "hello"); });
        Assert.False(connected.IsCompleted);
    }
}
