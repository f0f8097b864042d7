using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BuildKit.Tests.Transport;

/// <summary>An authority, a server certificate for 127.0.0.1 and localhost, and a client certificate, as PEM files in a folder of their own.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("buildkit-tls-");
    private readonly X509Certificate2 _authority;

    public TestCertificates()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=test-ca", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(10));
        File.WriteAllText(CaFile, _authority.ExportCertificatePem());
        using (Issue("client", DateTimeOffset.UtcNow.AddDays(1)))
        {
        }
    }

    public string CaFile => PathOf("ca.pem");

    public string CertificateFile => PathOf("client.pem");

    public string KeyFile => PathOf("client-key.pem");

    public string PathOf(string name) => Path.Combine(_directory.FullName, name);

    /// <summary>Issues a certificate and writes NAME.pem and NAME-key.pem.</summary>
    public X509Certificate2 Issue(string name, DateTimeOffset notAfter)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-2), notAfter, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(PathOf($"{name}.pem"), issued.ExportCertificatePem());
        File.WriteAllText(PathOf($"{name}-key.pem"), key.ExportPkcs8PrivateKeyPem());
        return issued.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }
}
