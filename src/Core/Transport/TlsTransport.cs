using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace BuildKit.Transport;

/// <summary>TLS over another transport, with the system's authorities or with those of a CA file alone.</summary>
internal sealed class TlsTransport : DaemonTransport
{
    private readonly TcpTransport _tcp;
    private readonly BuildKitTlsOptions _options;
    private readonly TlsCredentials _credentials;

    private TlsTransport(TcpTransport tcp, BuildKitTlsOptions options, TlsCredentials credentials)
        : base(tcp.Target, tcp.ConnectTimeout)
    {
        _tcp = tcp;
        _options = options;
        _credentials = credentials;
    }

    public override string HttpHost => _tcp.HttpHost;

    public bool HasClientCertificate => _credentials.ClientContext is not null;

    /// <summary>Is told the server's certificate before it is judged.</summary>
    private Action<X509Certificate>? Shown { get; init; }

    public static async Task<TlsTransport> CreateAsync(TcpTransport tcp, BuildKitTlsOptions options, CancellationToken cancellationToken) =>
        new(tcp, options, await TlsCredentials.LoadAsync(tcp.Target, options, cancellationToken).ConfigureAwait(false));

    /// <summary>Whether the peer of a plain connection speaks TLS. Nothing but the start of a handshake is sent, and nothing of it is trusted.</summary>
    public static async Task<bool> IsSpokenAsync(TcpTransport tcp, CancellationToken cancellationToken)
    {
        using var transport = new TlsTransport(tcp, new BuildKitTlsOptions { SkipVerify = true }, TlsCredentials.None);
        try
        {
            var stream = await transport.ConnectAsync(ApplicationProtocol.Http2, cancellationToken).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        catch (ConnectionFailedException exception)
        {
            return exception.ErrorId is "BuildKit.TlsFailed" or "BuildKit.TlsClientCertificateRequired";
        }
    }

    /// <summary>
    /// The certificate that a server shows, whatever it is worth; null where it shows none. It is for a person to look at: nothing is sent but the start of a handshake.
    /// </summary>
    /// <exception cref="ConnectionFailedException">There is no server, or it does not speak TLS.</exception>
    public static async Task<X509Certificate2?> GetServerCertificateAsync(TcpTransport tcp, string? serverName, CancellationToken cancellationToken)
    {
        X509Certificate2? shown = null;
        using var transport = new TlsTransport(tcp, new BuildKitTlsOptions { SkipVerify = true, ServerName = serverName }, TlsCredentials.None)
        {
            Shown = certificate => shown = new X509Certificate2(certificate),
        };
        try
        {
            var stream = await transport.ConnectAsync(ApplicationProtocol.Http2, cancellationToken).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (ConnectionFailedException) when (shown is not null)
        {
            // It wants a client certificate; its own has been seen by then.
        }
        return shown;
    }

    protected override async ValueTask<Stream> ConnectCoreAsync(ApplicationProtocol protocol, CancellationToken cancellationToken)
    {
        var recorder = new FirstByteStream(await _tcp.ConnectAsync(protocol, cancellationToken).ConfigureAwait(false));
        var serverName = _options.ServerName ?? _tcp.Host;
        ConnectionFailedException? verdict = null;
        var tls = new SslStream(recorder, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(CreateOptions(serverName, protocol, failure => verdict = failure), cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch (Exception exception)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            if (verdict is not null)
                throw verdict;
            if (exception is AuthenticationException or IOException)
                throw TlsFailures.FromHandshake(Target, HasClientCertificate, recorder.FirstByte, exception);
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _credentials.Dispose();
            _tcp.Dispose();
        }
        base.Dispose(disposing);
    }

    private SslClientAuthenticationOptions CreateOptions(string serverName, ApplicationProtocol protocol, Action<ConnectionFailedException> refuse)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = serverName,
            ApplicationProtocols = [protocol == ApplicationProtocol.Http2 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11],
            ClientCertificateContext = _credentials.ClientContext,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (certificate is not null)
                    Shown?.Invoke(certificate);
                if (errors == SslPolicyErrors.None || _options.SkipVerify)
                    return true;
                refuse(TlsFailures.FromValidation(Target, serverName, _options.CaFile, certificate, chain, errors));
                return false;
            },
        };
        if (_credentials.Authorities is { } authorities)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        return options;
    }
}
