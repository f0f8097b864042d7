using System.ComponentModel;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace BuildKit.Transport;

/// <summary>The words for every way in which TLS can fail.</summary>
internal static class TlsFailures
{
    private const byte HandshakeRecord = 22;
    private const byte AlertRecord = 21;

    // The alerts of RFC 8446 section 6.2 with which a server turns a client's certificate down, in OpenSSL's words.
    private static readonly string[] AlertTexts =
    [
        "alert certificate required", "alert bad certificate", "alert unknown ca", "alert certificate unknown", "alert certificate expired",
        "alert certificate revoked", "alert unsupported certificate", "alert access denied",
    ];

    // The same as SChannel reports them: SEC_E_UNTRUSTED_ROOT, SEC_E_CERT_UNKNOWN, SEC_E_CERT_EXPIRED.
    private static readonly uint[] SchannelCodes = [0x80090325, 0x80090327, 0x80090328];

    public static ConnectionFailedException FileNotFound(TransportTarget target, string path, Exception inner) => ConnectionFailures.Create(
        target, "TlsFileNotFound", $"The file '{path}' that TLS to {target} needs does not exist.", "Check the path of the certificates.", inner,
        BuildKitErrorCategory.NotFound);

    public static ConnectionFailedException FileInvalid(TransportTarget target, string path, string why, Exception? inner) => ConnectionFailures.Create(
        target, "TlsFileInvalid", $"TLS to {target} can't use '{path}': {why}.", "Give PEM files: ca.pem, cert.pem, and key.pem that is not encrypted.", inner,
        BuildKitErrorCategory.InvalidArgument);

    /// <summary>The peer of a plain connection turned out to speak TLS.</summary>
    public static ConnectionFailedException Required(TransportTarget target) => ConnectionFailures.Create(
        target, "TlsRequired", $"{target} speaks TLS, and no TLS was asked for.",
        "Give the CA file and, where the daemon wants one, the client's certificate and key; for a Docker Engine set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH.");

    public static ConnectionFailedException FromValidation(
        TransportTarget target, string serverName, string? caFile, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var server = certificate as X509Certificate2;
        var status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (flags, one) => flags | one.Status) ?? X509ChainStatusFlags.NoError;
        if (server is null)
            return Failed(target, "the server sent no certificate", null);

        // An unknown authority comes first: a certificate that nobody vouches for can carry any name and any date.
        if ((status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != 0)
        {
            var trusted = caFile is null ? "this system's certificate authorities" : $"the authorities in '{caFile}'";
            return ConnectionFailures.Create(
                target, "TlsUntrusted", $"The certificate of {target} (subject '{server.Subject}', issuer '{server.Issuer}') does not come from {trusted}.",
                "Give the CA file that the daemon's certificate was made with.");
        }
        if ((status & X509ChainStatusFlags.NotTimeValid) != 0)
        {
            return ConnectionFailures.Create(
                target, "TlsCertificateExpired",
                $"The certificate of {target}, valid from {server.NotBefore.ToUniversalTime():u} to {server.NotAfter.ToUniversalTime():u}, or that of its issuer "
                + $"is not valid now, {DateTime.UtcNow:u}.",
                "Renew the daemon's certificate, or set this machine's clock.");
        }
        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
        {
            return ConnectionFailures.Create(
                target, "TlsNameMismatch", $"The certificate of {target} is not for '{serverName}': it names {Names(server)}.",
                "Use a name from the certificate in the address, or give it as the server name.");
        }
        return Failed(target, $"the server's certificate was refused: {status}", null);
    }

    /// <summary>What a handshake failed of, apart from the server's certificate.</summary>
    /// <param name="target">The endpoint.</param>
    /// <param name="hasClientCertificate">Whether a client certificate was offered.</param>
    /// <param name="firstByte">The first byte that the peer sent, or null where it sent none.</param>
    /// <param name="exception">The handshake's error.</param>
    public static ConnectionFailedException FromHandshake(TransportTarget target, bool hasClientCertificate, byte? firstByte, Exception exception)
    {
        if (FindAlert(target, hasClientCertificate, exception) is { } refused)
            return refused;
        if (firstByte is HandshakeRecord or AlertRecord)
            return Failed(target, exception.InnerException?.Message ?? exception.Message, exception);
        return ConnectionFailures.Create(
            target, "TlsNotSpoken",
            firstByte is null ? $"{target} closed the connection at the start of the TLS handshake: it does not speak TLS, as it seems." : $"{target} does not speak TLS.",
            "Check the port (2376 is usual for an Engine with TLS, 2375 without), or leave the TLS settings out.", exception);
    }

    /// <summary>The alert inside an error with which the server turned the client's certificate, or its absence, down; null where there is none.</summary>
    public static ConnectionFailedException? FindAlert(TransportTarget target, bool hasClientCertificate, Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            var alert = AlertTexts.FirstOrDefault(text => cause.Message.Contains(text, StringComparison.OrdinalIgnoreCase))
                ?? (cause is Win32Exception win32 && SchannelCodes.Contains((uint)win32.NativeErrorCode) ? win32.Message : null);
            if (alert is null)
                continue;
            return hasClientCertificate
                ? ConnectionFailures.Create(
                    target, "TlsClientCertificateRefused", $"{target} refused the client certificate (TLS {alert}).",
                    "Use a client certificate from the authority that the daemon trusts, and one that has not run out.", exception, BuildKitErrorCategory.PermissionDenied)
                : ConnectionFailures.Create(
                    target, "TlsClientCertificateRequired", $"{target} wants a client certificate, and none was given (TLS {alert}).",
                    "Give the client's certificate and key (cert.pem and key.pem).", exception, BuildKitErrorCategory.PermissionDenied);
        }
        return null;
    }

    private static ConnectionFailedException Failed(TransportTarget target, string why, Exception? inner) => ConnectionFailures.Create(
        target, "TlsFailed", $"TLS to {target} failed: {why.TrimEnd('.')}.", "The daemon may want a client certificate, or another version of TLS; its log says more.", inner);

    private static string Names(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        var names = extension is null
            ? []
            : extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(address => address.ToString())).Distinct().Take(10).ToList();
        return names.Count > 0 ? string.Join(", ", names) : "no host at all";
    }
}
