using System.Net;
using System.Net.Sockets;

namespace BuildKit.Tests.Transport;

/// <summary>A port of the loopback that refuses connections, and that nobody else gets as long as this lives.</summary>
internal sealed class ClosedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ClosedPort() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    /// <summary><c>http://127.0.0.1:PORT/</c></summary>
    public string Address => $"http://{_socket.LocalEndPoint}/";

    public void Dispose() => _socket.Dispose();
}
