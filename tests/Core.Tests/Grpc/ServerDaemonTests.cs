using System.Net.Sockets;
using System.Text;
using BuildKit.Grpc;
using BuildKit.Protocol.Health;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>The server with the BuildKit of a real Docker Engine as its client, on the stream of a session.</summary>
public sealed class ServerDaemonTests
{
    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker20)]
    public async Task HealthCheckOfTheDaemon_IsAnswered_AndTheSessionLivesOn(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var checks = new SemaphoreSlim(0);
        var failures = new List<Exception>();
        var service = new ServerServiceDefinition().AddMethod(
            Method.Protobuf<HealthCheckRequest, HealthCheckResponse>(MethodType.Unary, "grpc.health.v1.Health", "Check"),
            (HealthCheckRequest request, ServerCallContext context) =>
            {
                Assert.True(context.Deadline > DateTime.UtcNow, "The daemon gives its check a deadline.");
                Assert.StartsWith("grpc-go/", context.RequestHeaders.GetValue("user-agent"), StringComparison.Ordinal);
                checks.Release();
                return Task.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving });
            });
        var stream = await OpenSessionAsync(engine, "/grpc.health.v1.Health/Check");
        await using var server = new GrpcServer(stream, [service], new GrpcServerOptions { CallFailed = (_, exception) => failures.Add(exception) });
        var run = server.RunAsync(CancellationToken.None);

        // The daemon checks every five seconds. After an answer that it does not like it closes the session, at the second check at the latest.
        for (var check = 0; check < 3; check++)
            Assert.True(await checks.WaitAsync(Poll.Patience), $"Check {check} did not come.");
        Assert.False(run.IsCompleted);
        Assert.Empty(failures);

        await server.DisposeAsync();
        await run.WaitAsync(Poll.Patience);
    }

    private static async Task<Stream> OpenSessionAsync(TestEngine engine, string method)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(engine.Address.LocalPath));
        var stream = new NetworkStream(socket, ownsSocket: true);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /session HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n" +
            $"X-Docker-Expose-Session-Uuid: {Guid.NewGuid():N}\r\nX-Docker-Expose-Session-Name: test\r\nX-Docker-Expose-Session-Sharedkey: test\r\n" +
            $"X-Docker-Expose-Session-Grpc-Method: {method}\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 101", await HttpHead.ReadAsync(stream, default).WaitAsync(Poll.Patience), StringComparison.Ordinal);
        return stream;
    }
}
