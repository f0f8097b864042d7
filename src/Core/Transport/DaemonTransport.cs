namespace BuildKit.Transport;

/// <summary>A way to reach a daemon. Each connect gives a new stream, whose disposal closes the connection. Failures are <see cref="ConnectionFailedException"/>.</summary>
internal abstract class DaemonTransport(TransportTarget target, TimeSpan connectTimeout) : IDisposable
{
    public TransportTarget Target { get; } = target;

    /// <summary>How long a connect, or the wait for a peer's first answer, may take.</summary>
    public TimeSpan ConnectTimeout { get; } = connectTimeout;

    /// <summary>What HTTP/1.1 requests name as their host. Engines do not look at it, but Go refuses one that is not a host name.</summary>
    public virtual string HttpHost => "docker";

    /// <summary>Whether a connection that ends by itself does so with a <see cref="ConnectionFailedException"/> that says why.</summary>
    public virtual bool TellsWhyItEnds => false;

    public async ValueTask<Stream> ConnectAsync(ApplicationProtocol protocol, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ConnectTimeout);
        try
        {
            return await ConnectCoreAsync(protocol, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw ConnectionFailures.Timeout(Target, ConnectTimeout, exception);
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract ValueTask<Stream> ConnectCoreAsync(ApplicationProtocol protocol, CancellationToken cancellationToken);

    protected virtual void Dispose(bool disposing)
    {
    }
}
