using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using BuildKit.Builders;
using BuildKit.Transport;

namespace BuildKit.Diagnosis.Checks;

/// <summary>The dates of every certificate of a connection: the server's, the client's, and that of the authority. Who vouches for whom is judged by connecting.</summary>
internal static class TlsCheck
{
    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);

    public static async Task<Finding> RunAsync(Subject subject, CancellationToken cancellationToken)
    {
        var endpoint = subject.Endpoint;
        if (endpoint.Scheme != "tcp")
            return Finding.Skip($"TLS belongs to tcp://, and this is {endpoint.Scheme}://.");
        if (endpoint.Tls is not { } tls)
        {
            return IsLoopback(endpoint.Host)
                ? Finding.Skip("No TLS was asked for; the address is this machine's own.")
                : Finding.Warning(
                    $"No TLS was asked for: whoever reaches port {endpoint.Port} of {endpoint.Host} rules that machine, and whoever is between can read and change builds.",
                    "Have the daemon listen with TLS and client certificates, or reach it by ssh://.");
        }

        var target = new TransportTarget(endpoint.Address, endpoint.Source);
        using var tcp = new TcpTransport(target, endpoint.Host, endpoint.Port, endpoint.ConnectTimeout);
        using var credentials = await TlsCredentials.LoadAsync(target, tls, cancellationToken).ConfigureAwait(false);
        using var server = await FindServerCertificateAsync(tcp, tls, cancellationToken).ConfigureAwait(false);
        var certificates = new List<(string Whose, X509Certificate2 Certificate)>();
        if (server is not null)
            certificates.Add(("the daemon's", server));
        if (credentials.ClientContext?.TargetCertificate is { } client)
            certificates.Add(("the client's", client));
        certificates.AddRange((credentials.Authorities ?? []).Select(authority => ("the authority's", authority)));
        if (certificates.Count == 0)
            return Finding.Skip("No certificate was seen.");
        return Judge(certificates, tls, DateTime.UtcNow);
    }

    private static Finding Judge(List<(string Whose, X509Certificate2 Certificate)> certificates, BuildKitTlsOptions tls, DateTime now)
    {
        var all = $"Certificates end: {string.Join(", ", certificates.Select(one => $"{one.Whose} {Date(one.Certificate.NotAfter)}"))}.";
        foreach (var (whose, certificate) in certificates)
        {
            var (from, to) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
            if (to < now || from > now)
                return Finding.Fail(
                    $"{Capital(whose)} certificate '{certificate.Subject}' is valid from {Date(from)} to {Date(to)}, and it is {Date(now)}.",
                    $"Renew {whose} certificate, or set the clock.", "BuildKit.TlsCertificateExpired");
        }
        var (first, soonest) = certificates.MinBy(one => one.Certificate.NotAfter);
        var left = soonest.NotAfter.ToUniversalTime() - now;
        if (left < Soon)
            return Finding.Warning(
                $"{Capital(first)} certificate '{soonest.Subject}' runs out in {Text.Time(left)}, on {Date(soonest.NotAfter)}. {all}", $"Renew {first} certificate.");
        return tls.SkipVerify
            ? Finding.Warning($"The daemon's certificate is not verified. {all}", "Give the CA file, and verify: whoever is between can read and change builds.")
            : Finding.Pass($"{all} The first of them in {Text.Time(left)}.");
    }

    private static async Task<X509Certificate2?> FindServerCertificateAsync(TcpTransport tcp, BuildKitTlsOptions tls, CancellationToken cancellationToken)
    {
        try
        {
            return await TlsTransport.GetServerCertificateAsync(tcp, tls.ServerName, cancellationToken).ConfigureAwait(false);
        }
        catch (ConnectionFailedException)
        {
            // The next check tells of it; the files can be looked at without.
            return null;
        }
    }

    private static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static string Capital(string words) => char.ToUpperInvariant(words[0]) + words[1..];

    private static string Date(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
