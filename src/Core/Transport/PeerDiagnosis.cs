namespace BuildKit.Transport;

/// <summary>Looks once more at a peer that answered neither as an Engine nor as a buildkitd, to tell a person why.</summary>
internal static class PeerDiagnosis
{
    private static readonly TimeSpan ListenTime = TimeSpan.FromSeconds(2);

    public static async Task<BuildKitException> ExplainAsync(DaemonTransport transport, string? peerAnswer, BuildKitException failure, CancellationToken cancellationToken)
    {
        try
        {
            switch (transport)
            {
                case TcpTransport tcp when await TlsTransport.IsSpokenAsync(tcp, cancellationToken).ConfigureAwait(false):
                    return TlsFailures.Required(tcp.Target);
                case TlsTransport tls when await FindAlertAsync(tls, cancellationToken).ConfigureAwait(false) is { } alert:
                    return alert;
                case { TellsWhyItEnds: true } when await FindEndAsync(transport, cancellationToken).ConfigureAwait(false) is { } end:
                    return end;
            }
        }
        catch (ConnectionFailedException)
        {
            // It does not even take a connection any more; what was seen before says more.
        }
        return ConnectionFailures.NotABuilder(transport.Target, "it is neither a Docker Engine nor a buildkitd", peerAnswer, failure);
    }

    /// <summary>
    /// In TLS 1.3 a server judges the client's certificate after the client's side of the handshake is done, so that its alert may be lost behind a request
    /// that it never reads. Who only listens gets it.
    /// </summary>
    private static async Task<ConnectionFailedException?> FindAlertAsync(TlsTransport tls, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ListenTime);
        try
        {
            var stream = await tls.ConnectAsync(ApplicationProtocol.Http2, cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                _ = await stream.ReadAsync(new byte[1], timeout.Token).ConfigureAwait(false);
            return null;
        }
        catch (IOException exception)
        {
            return TlsFailures.FindAlert(tls.Target, tls.HasClientCertificate, exception);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>A connection that ends at once may have ended while something was written to it; then its reason is lost behind the failed write.</summary>
    private static async Task<ConnectionFailedException?> FindEndAsync(DaemonTransport transport, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ListenTime);
        var stream = await transport.ConnectAsync(ApplicationProtocol.Http2, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                _ = await stream.ReadAsync(new byte[1], timeout.Token).ConfigureAwait(false);
                return null;
            }
            catch (ConnectionFailedException exception)
            {
                return exception;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return null;
            }
        }
    }
}
