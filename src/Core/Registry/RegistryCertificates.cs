using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using BuildKit.Transport;

namespace BuildKit.Registry;

/// <summary>
/// The certificates for one registry as docker keeps them (docs.docker.com/engine/security/certificates): in a folder <c>certs.d/HOST:PORT</c> every <c>*.crt</c> is an authority to
/// trust besides the system's, and <c>NAME.cert</c> with <c>NAME.key</c> is the client's certificate. Windows has no colon in file names, and docker leaves it out there.
/// </summary>
internal sealed class RegistryCertificates : IDisposable
{
    private readonly List<TlsCredentials> _loaded = [];
    private readonly X509Certificate2Collection _authorities = [];

    private RegistryCertificates()
    {
    }

    /// <summary>The client's certificate, or null.</summary>
    public SslStreamCertificateContext? ClientContext { get; private set; }

    public static IReadOnlyList<string> DefaultDirectories(Func<string, string?> getEnvironmentVariable)
    {
        if (OperatingSystem.IsWindows())
            return [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "docker", "certs.d")];
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        var config = getEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } given ? given : Path.Combine(home, ".config");
        // The second is that of a rootless Engine, the third Docker Desktop's.
        return ["/etc/docker/certs.d", Path.Combine(config, "docker", "certs.d"), Path.Combine(home, ".docker", "certs.d")];
    }

    /// <exception cref="BuildKitException">A file can't be used: <c>BuildKit.TlsFileInvalid</c>.</exception>
    public static async Task<RegistryCertificates> LoadAsync(string host, IReadOnlyList<string> directories, CancellationToken cancellationToken)
    {
        var certificates = new RegistryCertificates();
        var target = new TransportTarget($"the registry '{host}'");
        try
        {
            foreach (var directory in directories)
            {
                foreach (var file in Files(Path.Combine(directory, OperatingSystem.IsWindows() ? host.Replace(":", "", StringComparison.Ordinal) : host)))
                    await certificates.AddAsync(target, file, cancellationToken).ConfigureAwait(false);
            }
            return certificates;
        }
        catch
        {
            certificates.Dispose();
            throw;
        }
    }

    /// <summary>Whether a server's certificate, which the system does not trust, comes from one of these authorities. Its name is not checked here.</summary>
    public bool Vouch(X509Certificate2 certificate, X509Chain? sent)
    {
        if (_authorities.Count == 0)
            return false;
        using var chain = new X509Chain
        {
            ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
        };
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(certificate);
    }

    public void Dispose() => _loaded.ForEach(credentials => credentials.Dispose());

    private static IEnumerable<string> Files(string directory)
    {
        try
        {
            return Directory.Exists(directory) ? Directory.GetFiles(directory).Order(StringComparer.Ordinal) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not for this user: the registry's certificate then decides.
            return [];
        }
    }

    private async Task AddAsync(TransportTarget target, string file, CancellationToken cancellationToken)
    {
        var isAuthority = Path.GetExtension(file) == ".crt";
        if (!isAuthority && (Path.GetExtension(file) != ".cert" || ClientContext is not null))
            return;
        var options = isAuthority
            ? new BuildKitTlsOptions { CaFile = file }
            : new BuildKitTlsOptions { CertificateFile = file, KeyFile = Path.ChangeExtension(file, ".key") };
        var credentials = await TlsCredentials.LoadAsync(target, options, cancellationToken).ConfigureAwait(false);
        _loaded.Add(credentials);
        _authorities.AddRange(credentials.Authorities ?? []);
        ClientContext ??= credentials.ClientContext;
    }
}
