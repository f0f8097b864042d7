using System.Net.Sockets;
using System.Text;
using BuildKit.Tests.Transport;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>A way over TCP to a unix socket that keeps what clients send.</summary>
internal sealed class RecordingProxy : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly StringBuilder _sent = new();

    public RecordingProxy(string socket) => _server = new TestServer(async (client, stop) =>
    {
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
        await using var daemon = new NetworkStream(connection);
        var answers = daemon.CopyToAsync(client, stop);
        var buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer, stop) is var read and > 0)
        {
            lock (_sent)
                _sent.Append(Encoding.Latin1.GetString(buffer, 0, read));
            await daemon.WriteAsync(buffer.AsMemory(0, read), stop);
        }
        connection.Shutdown(SocketShutdown.Send);
        await answers;
    });

    public int Port => _server.Port;

    /// <summary>All that was sent, a character a byte.</summary>
    public string Sent
    {
        get
        {
            lock (_sent)
                return _sent.ToString();
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
