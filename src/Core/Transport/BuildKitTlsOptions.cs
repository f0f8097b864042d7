namespace BuildKit.Transport;

/// <summary>How TLS is spoken to a daemon. Files are PEM, as docker and buildctl use them; they are read when the connection is opened.</summary>
public sealed record BuildKitTlsOptions
{
    /// <summary>The path of the certificate authorities to trust in place of the system's; null for the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>The path of the client's certificate, with intermediates after it where there are any; null for none.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The path of the client certificate's private key, not encrypted; null for none.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The name that the daemon's certificate must carry, where it differs from the host in the address.</summary>
    public string? ServerName { get; init; }

    /// <summary>
    /// Whether any server certificate is accepted (<c>docker --tls</c> without <c>--tlsverify</c>). Whoever sits between can then read and change everything.
    /// </summary>
    public bool SkipVerify { get; init; }
}
