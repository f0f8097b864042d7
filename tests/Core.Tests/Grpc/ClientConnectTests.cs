using BuildKit.Grpc;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>What becomes of the connect function's exceptions and streams.</summary>
public sealed class ClientConnectTests
{
    [Fact]
    public async Task ConnectFailure_IsTheInnerException_OfEveryCall()
    {
        var refused = new BuildKitException("BuildKit.ConnectionRefused", BuildKitErrorCategory.Connection, "No daemon listens at unix:///nowhere.", "Start it.");
        await using var channel = new GrpcChannel(async _ =>
        {
            await Task.Yield();
            throw refused;
        });

        foreach (var failure in await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => channel.CallAsync().FailAsync(StatusCode.Unavailable))))
        {
            Assert.Same(refused, failure.InnerException);
            Assert.Equal(refused.Message, failure.Status.Detail);
        }

        using var stream = channel.AsyncDuplexStreamingCall(ClientTestCalls.Duplex, default);
        var writing = await stream.RequestStream.WriteAsync("hello", default).AsTask().FailAsync(StatusCode.Unavailable);
        Assert.Same(refused, writing.InnerException);
        var reading = await stream.ResponseStream.MoveNext(default).FailAsync(StatusCode.Unavailable);
        Assert.Same(refused, reading.InnerException);
        Assert.Same(refused, (await stream.ResponseHeadersAsync.FailAsync(StatusCode.Unavailable)).InnerException);
    }

    [Fact]
    public async Task ConnectThatTimesOutByItself_IsUnavailable()
    {
        var timeout = new OperationCanceledException("connecting took too long");
        await using var channel = new GrpcChannel(_ => ValueTask.FromException<Stream>(timeout));
        var failure = await channel.CallAsync().FailAsync(StatusCode.Unavailable);
        Assert.Same(timeout, failure.InnerException);
    }

    [Fact]
    public async Task LostConnection_IsReplacedByTheNextCall()
    {
        var peers = System.Threading.Channels.Channel.CreateUnbounded<(ClientRawPeer, Stream)>();
        await using var channel = new GrpcChannel(async cancellationToken =>
        {
            var (client, server) = await ClientRawPeer.ConnectPairAsync(cancellationToken);
            await peers.Writer.WriteAsync((ClientRawPeer.Greet(server), client), cancellationToken);
            return client;
        });

        var first = channel.CallAsync();
        var (peer, transport) = await peers.Reader.ReadAsync().AsTask().WaitAsync(ClientTestCalls.Guard);
        await AnswerAsync(peer);
        Assert.Equal("world", await first);
        await peer.DisposeAsync();
        await WaitUntilClosedAsync(transport).WaitAsync(ClientTestCalls.Guard); // before that the next call would go down with the connection

        var second = channel.CallAsync();
        var (other, _) = await peers.Reader.ReadAsync().AsTask().WaitAsync(ClientTestCalls.Guard);
        await using var _ = other;
        await AnswerAsync(other);
        Assert.Equal("world", await second);
    }

    [Fact]
    public async Task DisposedChannel_ClosesAStreamThatArrivesLate()
    {
        var arriving = new TaskCompletionSource<Stream>();
        var channel = new GrpcChannel(async _ => await arriving.Task);
        var call = channel.CallAsync();
        var disposing = channel.DisposeAsync();
        await call.FailAsync(StatusCode.Cancelled);
        var (client, server) = await ClientRawPeer.ConnectPairAsync(default);
        using var _ = server;
        arriving.SetResult(client);
        await disposing;
        Assert.Equal(0, await server.ReceiveAsync(new byte[1]).WaitAsync(ClientTestCalls.Guard));
    }

    private static async Task WaitUntilClosedAsync(Stream transport)
    {
        while (transport.CanRead)
            await Task.Delay(5);
    }

    private static async Task AnswerAsync(ClientRawPeer peer)
    {
        var (id, _, _) = await peer.ReadRequestAsync().WaitAsync(ClientTestCalls.Guard);
        await peer.WriteHeadersAsync(id);
        await peer.WriteDataAsync(id, ClientRawPeer.Message("world"));
        await peer.WriteTrailersAsync(id, ("grpc-status", "0"));
    }
}
