using System.Net.Sockets;

namespace BuildKit.Transport;

internal sealed class TcpTransport(TransportTarget target, string host, int port, TimeSpan connectTimeout) : DaemonTransport(target, connectTimeout)
{
    private const int KeepAliveSeconds = 30;

    public string Host { get; } = host;

    public override string HttpHost { get; } = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";

    protected override async ValueTask<Stream> ConnectCoreAsync(ApplicationProtocol protocol, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A build can be silent for hours; without keep-alive a peer that vanished meanwhile would never be noticed.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveSeconds);
            await socket.ConnectAsync(Host, port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw ConnectionFailures.FromTcp(Target, Host, port, exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
