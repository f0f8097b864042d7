using System.Net.Sockets;
using System.Text;
using BuildKit.Tests.Transport;

namespace BuildKit.Tests.Builders;

/// <summary>
/// A socket like that of a Docker Engine from version 29: HTTP/1.1 goes to a real Engine whose API version is changed on the way, what begins with the HTTP/2 preface to a
/// real buildkitd. Without a buildkitd, or with the upgrade refused, it is an Engine that lacks that route.
/// Every connection's first bytes are kept, so that a test can tell how it was reached.
/// </summary>
internal sealed class DirectEngineProxy : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("buildkit-proxy-");
    private readonly TestServer _server;

    public DirectEngineProxy(string dockerSocket, string? buildkitdSocket, bool refuseUpgrade = true, string apiVersion = "1.52")
    {
        SocketPath = Path.Combine(_directory.FullName, "docker.sock");
        _server = new TestServer((stream, cancellationToken) => ForwardAsync(stream, dockerSocket, buildkitdSocket, refuseUpgrade, apiVersion, cancellationToken), SocketPath);
    }

    public string SocketPath { get; }

    public List<string> Connections { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private async Task ForwardAsync(Stream client, string dockerSocket, string? buildkitdSocket, bool refuseUpgrade, string apiVersion, CancellationToken cancellationToken)
    {
        var first = new byte[4096];
        var length = await client.ReadAsync(first, cancellationToken);
        var start = Encoding.ASCII.GetString(first, 0, Math.Min(length, 12));
        lock (Connections)
            Connections.Add(start);
        var isHttp2 = start.StartsWith("PRI * HTTP/2", StringComparison.Ordinal);
        if (isHttp2 && buildkitdSocket is null)
            return;
        if (refuseUpgrade && start.StartsWith("POST /grpc", StringComparison.Ordinal))
        {
            await client.WriteAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 29\r\n\r\n{\"message\":\"page not found\"}\n"u8.ToArray(), cancellationToken);
            return;
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(isHttp2 ? buildkitdSocket! : dockerSocket), cancellationToken);
        await using var daemon = new NetworkStream(socket);
        await daemon.WriteAsync(first.AsMemory(0, length), cancellationToken);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var answers = isHttp2 || start.StartsWith("POST /grpc", StringComparison.Ordinal)
            ? daemon.CopyToAsync(client, ended.Token)
            : CopyAnswersAsync(daemon, client, apiVersion, ended.Token);
        await Task.WhenAny(client.CopyToAsync(daemon, ended.Token), answers);
        await ended.CancelAsync();
    }

    private static async Task CopyAnswersAsync(NetworkStream daemon, Stream client, string apiVersion, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (await daemon.ReadAsync(buffer, cancellationToken) is > 0 and var length)
        {
            var text = Encoding.Latin1.GetString(buffer, 0, length).Replace("Api-Version: 1.51", $"Api-Version: {apiVersion}", StringComparison.Ordinal);
            await client.WriteAsync(Encoding.Latin1.GetBytes(text), cancellationToken);
        }
    }
}
