using System.Buffers.Binary;
using BuildKit.Grpc;
using BuildKit.Http2;
using BuildKit.Http2.Hpack;
using BuildKit.Tests.Http2;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>Calls written octet by octet, also such as no client of ours would send, and the form of the answers.</summary>
public sealed class ServerWireTests
{
    private static readonly ServerServiceDefinition Service = new ServerServiceDefinition()
        .WithUnary((request, context) => Task.FromResult($"{request}{context.RequestHeaders.GetValue("x-suffix")}"))
        .WithServerStreaming((_, _, _) => Task.CompletedTask)
        .WithClientStreaming(async (reader, context) =>
        {
            var all = string.Empty;
            await foreach (var message in reader.ReadAllAsync(context.CancellationToken))
                all += message;
            return all;
        });

    [Fact]
    public async Task Unary_IsHeadersMessageTrailers()
    {
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        await peer.SendHeadersAsync(1, endStream: false, Call("Unary"));
        await peer.SendDataAsync(1, endStream: true, Message("hi"));
        var (headers, body, trailers) = await peer.ReceiveResponseAsync(1);
        Assert.Equal([new(":status", "200"), new("content-type", "application/grpc"), new("grpc-encoding", "identity")], headers);
        Assert.Equal(Message("hi"), body);
        Assert.Equal([new("grpc-status", "0")], trailers);
    }

    [Fact]
    public async Task ResponseWithoutMessages_IsTrailersOnly()
    {
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        await peer.SendHeadersAsync(1, endStream: false, Call("Server"));
        await peer.SendDataAsync(1, endStream: true, Message("hi"));
        var frame = await peer.ExpectAsync(Http2FrameType.Headers, 1);
        Assert.True(frame.IsEndStream);
        Assert.Equal([new(":status", "200"), new("content-type", "application/grpc"), new("grpc-status", "0")], peer.Decode(frame));
    }

    [Fact]
    public async Task MessagesMayBeCutAnywhere()
    {
        byte[] messages = [.. Message("one"), .. Message(string.Empty), .. Message("three")];
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        for (var cut = 0; cut <= messages.Length; cut++)
        {
            var id = (2 * cut) + 1;
            await peer.SendHeadersAsync(id, endStream: false, Call("Client"));
            await peer.SendDataAsync(id, endStream: false, messages[..cut]);
            await peer.PingAsync();
            await peer.SendDataAsync(id, endStream: true, messages[cut..]);
            var (_, body, _) = await peer.ReceiveResponseAsync(id);
            Assert.Equal(Message("onethree"), body);
        }
    }

    public static TheoryData<string, byte[], int> BrokenRequests => new()
    {
        { "no message", [], 13 },
        { "two messages", [.. Message("a"), .. Message("b")], 13 },
        { "a message without its end", [.. Message("abc")[..^1]], 13 },
        { "a prefix without its end", [0, 0, 0], 13 },
        { "unknown flags", [2, 0, 0, 0, 0], 13 },
        { "a compressed message", [1, 0, 0, 0, 0], 12 },
        { "a message of 4 GiB", [0, 255, 255, 255, 255], 8 },
    };

    [Theory]
    [MemberData(nameof(BrokenRequests))]
    public async Task BrokenRequest_EndsWithAStatus(string what, byte[] body, int status)
    {
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        await peer.SendHeadersAsync(1, endStream: false, Call("Unary"));
        await peer.SendDataAsync(1, endStream: true, body);
        var (headers, _, _) = await peer.ReceiveResponseAsync(1);
        var code = headers.Single(field => field.Name == "grpc-status").Value;
        Assert.True(code == status.ToString(System.Globalization.CultureInfo.InvariantCulture), $"{what}: {string.Join(", ", headers)}");
        Assert.Equal(status == 12, headers.Contains(new HeaderField("grpc-accept-encoding", "identity")));
        await peer.PingAsync();
    }

    [Theory]
    [InlineData("x")]
    [InlineData("5")]
    [InlineData("5x")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    public async Task MalformedTimeout_IsInternal(string timeout)
    {
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        await peer.SendHeadersAsync(1, endStream: true, Call("Unary", new HeaderField("grpc-timeout", timeout)));
        var (headers, _, _) = await peer.ReceiveResponseAsync(1);
        Assert.Contains(new HeaderField("grpc-status", "13"), headers);
    }

    [Fact]
    public async Task MalformedBinaryMetadata_IsInternal()
    {
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        await peer.SendHeadersAsync(1, endStream: true, Call("Unary", new HeaderField("x-bin", "***")));
        var (headers, _, _) = await peer.ReceiveResponseAsync(1);
        Assert.Contains(new HeaderField("grpc-status", "13"), headers);
    }

    [Fact]
    public async Task DeadlineThatPasses_EndsTheCallWithItsStatus_EvenWhenTheClientForgetsIt()
    {
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        await peer.SendHeadersAsync(1, endStream: false, Call("Client", new HeaderField("grpc-timeout", "50m")));
        await peer.SendDataAsync(1, endStream: false, Message("x"));
        var (headers, _, _) = await peer.ReceiveResponseAsync(1);
        Assert.Contains(new HeaderField("grpc-status", "4"), headers);
        await peer.ExpectResetAsync(1, Http2ErrorCode.NoError);
    }

    [Theory]
    [InlineData("GET", "application/grpc", "405")]
    [InlineData("POST", "text/html", "415")]
    [InlineData("POST", null, "415")]
    [InlineData("POST", "application/grpc+proto", "200")]
    public async Task OtherThanGrpc_IsAnsweredInHttp(string method, string? contentType, string status)
    {
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        HeaderField[] request = [new(":method", method), new(":scheme", "http"), new(":path", "/test.Echo/Unary")];
        await peer.SendHeadersAsync(1, endStream: true, contentType is null ? request : [.. request, new("content-type", contentType)]);
        var (headers, _, _) = await peer.ReceiveResponseAsync(1);
        Assert.Equal(new HeaderField(":status", status), headers[0]);
    }

    [Fact]
    public async Task ErrorBeforeTheRequestEnds_StopsThePeer()
    {
        await using var peer = await Http2TestPeer.StartGrpcAsync(Service);
        await peer.SendHeadersAsync(1, endStream: false, Call("Nothing"));
        var (headers, _, _) = await peer.ReceiveResponseAsync(1);
        Assert.Contains(new HeaderField("grpc-status", "12"), headers);
        await peer.ExpectResetAsync(1, Http2ErrorCode.NoError);
    }

    [Fact]
    public async Task TrailersThatNoHeaderCanHold_AreAnInternalError()
    {
        var service = new ServerServiceDefinition().WithUnary((request, context) =>
        {
            context.ResponseTrailers.Add("x-text", "two\nlines");
            return Task.FromResult(request);
        });
        await using var peer = await Http2TestPeer.StartGrpcAsync(service);
        await peer.SendHeadersAsync(1, endStream: false, Call("Unary"));
        await peer.SendDataAsync(1, endStream: true, Message("hi"));
        var (_, _, trailers) = await peer.ReceiveResponseAsync(1);
        Assert.Contains(new HeaderField("grpc-status", "13"), trailers);
    }

    private static HeaderField[] Call(string method, params HeaderField[] more) =>
    [
        new(":method", "POST"), new(":scheme", "http"), new(":path", "/test.Echo/" + method), new(":authority", "localhost"),
        new("content-type", "application/grpc"), new("te", "trailers"), .. more,
    ];

    private static byte[] Message(string text)
    {
        var message = new byte[5 + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), text.Length);
        System.Text.Encoding.ASCII.GetBytes(text, message.AsSpan(5));
        return message;
    }
}
