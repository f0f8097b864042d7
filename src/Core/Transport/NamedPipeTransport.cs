using System.IO.Pipes;

namespace BuildKit.Transport;

internal sealed class NamedPipeTransport(TransportTarget target, string server, string pipe, TimeSpan connectTimeout) : DaemonTransport(target, connectTimeout)
{
    // .NET waits for a pipe that does not exist as for one that is busy; a daemon's pipe is there or it is not.
    private static readonly TimeSpan PipeWait = TimeSpan.FromSeconds(2);

    protected override async ValueTask<Stream> ConnectCoreAsync(ApplicationProtocol protocol, CancellationToken cancellationToken)
    {
        var stream = new NamedPipeClientStream(server, pipe, PipeDirection.InOut, PipeOptions.Asynchronous);
        try
        {
            await stream.ConnectAsync(PipeWait, cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch (Exception exception)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            switch (exception)
            {
                case TimeoutException:
                    throw ConnectionFailures.PipeNotFound(Target, exception);
                case UnauthorizedAccessException:
                    throw ConnectionFailures.PipePermissionDenied(Target, exception);
                case IOException:
                    throw ConnectionFailures.Other(Target, exception);
                default:
                    throw;
            }
        }
    }
}
