using BuildKit.Grpc;
using BuildKit.Tests.Http2;

namespace BuildKit.Tests.Grpc;

/// <summary>A server and a client of it, which is built on .NET's own HTTP/2 client, on one connection in memory.</summary>
internal sealed class ServerTestChannel : IAsyncDisposable
{
    public ServerTestChannel(ServerServiceDefinition service, GrpcServerOptions? options = null, GrpcChannelOptions? clientOptions = null)
    {
        var (client, server) = MemoryDuplexStream.CreatePair();
        Server = new GrpcServer(server, [service], options);
        Run = Server.RunAsync(CancellationToken.None);
        var connected = 0;
        Channel = new GrpcChannel(
            _ => Interlocked.Exchange(ref connected, 1) == 0 ? ValueTask.FromResult<Stream>(client) : throw new IOException("The one connection is used up."),
            clientOptions);
    }

    public GrpcServer Server { get; }

    public Task Run { get; }

    public GrpcChannel Channel { get; }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await Server.DisposeAsync().AsTask().WaitAsync(ClientTestCalls.Guard);
    }
}
