using System.Net.Sockets;

namespace BuildKit.Transport;

internal sealed class UnixSocketTransport(TransportTarget target, string path, TimeSpan connectTimeout) : DaemonTransport(target, connectTimeout)
{
    protected override async ValueTask<Stream> ConnectCoreAsync(ApplicationProtocol protocol, CancellationToken cancellationToken)
    {
        UnixDomainSocketEndPoint endPoint;
        try
        {
            endPoint = new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentOutOfRangeException exception)
        {
            throw ConnectionFailures.SocketPathTooLong(Target, exception);
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw ConnectionFailures.FromUnixSocket(Target, path, exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
