using System.Net.Sockets;
using System.Text;
using BuildKit.Tests.Transport;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>A way over TCP to a unix socket that keeps what clients send, and may change what is answered.</summary>
internal sealed class RecordingProxy : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly StringBuilder _sent = new();

    /// <param name="socket">The socket.</param>
    /// <param name="change">Changes a piece of an answer, a character a byte; given what was asked last on the connection, and the piece.</param>
    public RecordingProxy(string socket, Func<string, string, string>? change = null) => _server = new TestServer(async (client, stop) =>
    {
        var asked = string.Empty;
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
        await using var daemon = new NetworkStream(connection);
        var answers = CopyAsync();
        var buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer, stop) is var read and > 0)
        {
            Volatile.Write(ref asked, Encoding.Latin1.GetString(buffer, 0, read));
            lock (_sent)
                _sent.Append(asked);
            await daemon.WriteAsync(buffer.AsMemory(0, read), stop);
        }
        connection.Shutdown(SocketShutdown.Send);
        await answers;

        async Task CopyAsync()
        {
            var answer = new byte[64 * 1024];
            while (await daemon.ReadAsync(answer, stop) is var read and > 0)
            {
                var piece = Encoding.Latin1.GetString(answer, 0, read);
                await client.WriteAsync(Encoding.Latin1.GetBytes(change?.Invoke(Volatile.Read(ref asked), piece) ?? piece), stop);
            }
            ((NetworkStream)client).Socket.Shutdown(SocketShutdown.Send);
        }
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
