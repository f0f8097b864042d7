using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BuildKit.Transport;

/// <summary>The certificates of a connection, read from their PEM files.</summary>
internal sealed class TlsCredentials : IDisposable
{
    private readonly X509Certificate2? _clientCertificate;

    private TlsCredentials(X509Certificate2Collection? authorities, X509Certificate2? clientCertificate, SslStreamCertificateContext? clientContext)
    {
        Authorities = authorities;
        _clientCertificate = clientCertificate;
        ClientContext = clientContext;
    }

    public static TlsCredentials None { get; } = new(null, null, null);

    /// <summary>The authorities to trust, or null for the system's.</summary>
    public X509Certificate2Collection? Authorities { get; }

    /// <summary>The client's certificate with its key and intermediates, or null.</summary>
    public SslStreamCertificateContext? ClientContext { get; }

    public static async Task<TlsCredentials> LoadAsync(TransportTarget target, BuildKitTlsOptions options, CancellationToken cancellationToken)
    {
        if (options.CertificateFile is null != options.KeyFile is null)
        {
            throw TlsFailures.FileInvalid(
                target, options.CertificateFile ?? options.KeyFile!, "a client certificate and its private key are needed together, and only one of them is given", null);
        }

        var authorities = options.CaFile is null ? null : await LoadCertificatesAsync(target, options.CaFile, cancellationToken).ConfigureAwait(false);
        if (options.CertificateFile is null)
            return new TlsCredentials(authorities, null, null);

        var chain = await LoadCertificatesAsync(target, options.CertificateFile, cancellationToken).ConfigureAwait(false);
        var key = await ReadAsync(target, options.KeyFile!, cancellationToken).ConfigureAwait(false);
        var certificate = WithPrivateKey(target, options.KeyFile!, chain[0], key);
        chain.RemoveAt(0);
        return new TlsCredentials(authorities, certificate, SslStreamCertificateContext.Create(certificate, chain, offline: true));
    }

    public void Dispose()
    {
        _clientCertificate?.Dispose();
        foreach (var authority in Authorities ?? [])
            authority.Dispose();
    }

    private static async Task<X509Certificate2Collection> LoadCertificatesAsync(TransportTarget target, string path, CancellationToken cancellationToken)
    {
        var pem = await ReadAsync(target, path, cancellationToken).ConfigureAwait(false);
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException exception)
        {
            throw TlsFailures.FileInvalid(target, path, "it holds a certificate that can't be read", exception);
        }
        return certificates.Count > 0 ? certificates : throw TlsFailures.FileInvalid(target, path, "it holds no PEM certificate", null);
    }

    private static X509Certificate2 WithPrivateKey(TransportTarget target, string path, X509Certificate2 certificate, string keyPem)
    {
        if (keyPem.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw TlsFailures.FileInvalid(target, path, "the private key is encrypted", null);
        try
        {
            var withKey = X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), keyPem);
            if (!OperatingSystem.IsWindows())
                return withKey;

            // SChannel can't use a key that lives in memory alone (dotnet/runtime#23749): a PKCS#12 round trip gives it one that it can.
            using (withKey)
                return new X509Certificate2(withKey.Export(X509ContentType.Pkcs12));
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw TlsFailures.FileInvalid(target, path, "it holds no private key that belongs to the client certificate", exception);
        }
    }

    private static async Task<string> ReadAsync(TransportTarget target, string path, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw TlsFailures.FileNotFound(target, path, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw TlsFailures.FileInvalid(target, path, "it can't be read", exception);
        }
    }
}
