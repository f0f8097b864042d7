using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Transport;

public sealed class TlsTransportTests : IDisposable
{
    private static readonly TimeSpan Guard = Poll.Patience;

    private readonly TestCertificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public async Task A_certificate_of_the_given_authority_is_accepted_and_the_protocol_agreed_on()
    {
        await using var server = TlsServer("server", DateTimeOffset.UtcNow.AddDays(1), SslApplicationProtocol.Http2);
        await using var stream = await ConnectAsync(server, new BuildKitTlsOptions { CaFile = _certificates.CaFile });

        Assert.Equal(SslApplicationProtocol.Http2, ((SslStream)stream).NegotiatedApplicationProtocol);
        await stream.WriteAsync("ping"u8.ToArray());
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer).AsTask().WaitAsync(Guard);
        Assert.Equal("ping"u8.ToArray(), answer);
    }

    [Fact]
    public async Task The_client_certificate_reaches_the_server()
    {
        var seen = new TaskCompletionSource<string?>();
        using var certificate = _certificates.Issue("server", DateTimeOffset.UtcNow.AddDays(1));
        await using var server = new TestServer(async (stream, cancellationToken) =>
        {
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = certificate,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = (_, client, _, _) => seen.TrySetResult(client?.Subject),
                },
                cancellationToken);
        });
        await using var stream = await ConnectAsync(
            server, new BuildKitTlsOptions { CaFile = _certificates.CaFile, CertificateFile = _certificates.CertificateFile, KeyFile = _certificates.KeyFile });

        Assert.Equal("CN=client", await seen.Task.WaitAsync(Guard));
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused()
    {
        using var others = new TestCertificates();
        await using var server = TlsServer("server", DateTimeOffset.UtcNow.AddDays(1));

        var failure = await Assert.ThrowsAsync<ConnectionFailedException>(() => ConnectAsync(server, new BuildKitTlsOptions { CaFile = others.CaFile }));
        Assert.Equal("BuildKit.TlsUntrusted", failure.ErrorId);
        Assert.Contains(others.CaFile, failure.Message, StringComparison.Ordinal);
        Assert.Contains("CN=test-ca", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_system_does_not_trust_a_private_authority()
    {
        await using var server = TlsServer("server", DateTimeOffset.UtcNow.AddDays(1));

        var failure = await Assert.ThrowsAsync<ConnectionFailedException>(() => ConnectAsync(server, new BuildKitTlsOptions()));
        Assert.Equal("BuildKit.TlsUntrusted", failure.ErrorId);
    }

    [Fact]
    public async Task Without_verification_any_certificate_will_do()
    {
        await using var server = TlsServer("server", DateTimeOffset.UtcNow.AddDays(-1));
        await using var stream = await ConnectAsync(server, new BuildKitTlsOptions { SkipVerify = true });
        Assert.True(((SslStream)stream).IsAuthenticated);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused()
    {
        await using var server = TlsServer("server", DateTimeOffset.UtcNow.AddDays(1));

        var failure = await Assert.ThrowsAsync<ConnectionFailedException>(
            () => ConnectAsync(server, new BuildKitTlsOptions { CaFile = _certificates.CaFile, ServerName = "builder.example" }));
        Assert.Equal("BuildKit.TlsNameMismatch", failure.ErrorId);
        Assert.Contains("'builder.example'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("localhost, 127.0.0.1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_server_name_may_differ_from_the_address()
    {
        await using var server = TlsServer("server", DateTimeOffset.UtcNow.AddDays(1));
        await using var stream = await ConnectAsync(server, new BuildKitTlsOptions { CaFile = _certificates.CaFile, ServerName = "localhost" });
        Assert.True(((SslStream)stream).IsAuthenticated);
    }

    [Fact]
    public async Task An_expired_certificate_is_refused()
    {
        await using var server = TlsServer("server", DateTimeOffset.UtcNow.AddDays(-1));

        var failure = await Assert.ThrowsAsync<ConnectionFailedException>(() => ConnectAsync(server, new BuildKitTlsOptions { CaFile = _certificates.CaFile }));
        Assert.Equal("BuildKit.TlsCertificateExpired", failure.ErrorId);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")]
    [InlineData("\0\0\u0006\u0004\0\0\0\0\0\0\u0005\0\0@\0")]
    [InlineData("")]
    public async Task A_peer_without_TLS_is_told_apart(string answer)
    {
        await using var server = new TestServer(async (stream, cancellationToken) =>
        {
            _ = await stream.ReadAsync(new byte[1024], cancellationToken);
            await stream.WriteAsync(System.Text.Encoding.Latin1.GetBytes(answer), cancellationToken);
        });

        var failure = await Assert.ThrowsAsync<ConnectionFailedException>(() => ConnectAsync(server, new BuildKitTlsOptions { CaFile = _certificates.CaFile }));
        Assert.Equal("BuildKit.TlsNotSpoken", failure.ErrorId);
    }

    [Fact]
    public async Task A_peer_that_never_answers_the_handshake_times_out()
    {
        await using var server = new TestServer((_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken));
        var failure = await Assert.ThrowsAsync<ConnectionFailedException>(
            () => ConnectAsync(server, new BuildKitTlsOptions { CaFile = _certificates.CaFile }, TimeSpan.FromMilliseconds(300)));
        Assert.Equal("BuildKit.ConnectionTimeout", failure.ErrorId);
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        var failure = await LoadFailureAsync(new BuildKitTlsOptions { CaFile = _certificates.PathOf("nowhere.pem") });
        Assert.Equal("BuildKit.TlsFileNotFound", failure.ErrorId);
        Assert.Contains("nowhere.pem", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_certificates_is_named()
    {
        var failure = await LoadFailureAsync(new BuildKitTlsOptions { CaFile = _certificates.KeyFile });
        Assert.Equal("BuildKit.TlsFileInvalid", failure.ErrorId);
        Assert.Contains(_certificates.KeyFile, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_without_its_key_is_refused()
    {
        var failure = await LoadFailureAsync(new BuildKitTlsOptions { CertificateFile = _certificates.CertificateFile });
        Assert.Equal("BuildKit.TlsFileInvalid", failure.ErrorId);
        Assert.Contains("private key", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_of_another_certificate_is_refused_and_not_shown()
    {
        using (_certificates.Issue("other", DateTimeOffset.UtcNow.AddDays(1)))
        {
        }
        var keyFile = _certificates.PathOf("other-key.pem");
        var failure = await LoadFailureAsync(new BuildKitTlsOptions { CertificateFile = _certificates.CertificateFile, KeyFile = keyFile });
        Assert.Equal("BuildKit.TlsFileInvalid", failure.ErrorId);
        Assert.DoesNotContain((await File.ReadAllLinesAsync(keyFile))[1], failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_encrypted_key_is_refused()
    {
        using var key = RSA.Create(2048);
        var path = _certificates.PathOf("encrypted.pem");
        await File.WriteAllTextAsync(path, key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        var failure = await LoadFailureAsync(new BuildKitTlsOptions { CertificateFile = _certificates.CertificateFile, KeyFile = path });
        Assert.Equal("BuildKit.TlsFileInvalid", failure.ErrorId);
        Assert.Contains("encrypted", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alert certificate required", false, "BuildKit.TlsClientCertificateRequired")]
    [InlineData("error:0A000412:SSL routines::sslv3 alert bad certificate", true, "BuildKit.TlsClientCertificateRefused")]
    public void An_alert_deep_inside_an_error_is_found(string message, bool hasCertificate, string id)
    {
        var wrapped = new HttpRequestException("no", new IOException("no", new AuthenticationException(message)));
        Assert.Equal(id, ConnectionFailures.Find(new TransportTarget("tcp://x:1"), hasCertificate, wrapped).ErrorId);
    }

    private static Task<ConnectionFailedException> LoadFailureAsync(BuildKitTlsOptions options) =>
        Assert.ThrowsAsync<ConnectionFailedException>(() => TlsCredentials.LoadAsync(new TransportTarget("tcp://x:1"), options, CancellationToken.None));

    private static async Task<Stream> ConnectAsync(TestServer server, BuildKitTlsOptions options, TimeSpan? timeout = null)
    {
        var tcp = new TcpTransport(new TransportTarget($"tcp://127.0.0.1:{server.Port}"), "127.0.0.1", server.Port, timeout ?? Guard);
        using var transport = await TlsTransport.CreateAsync(tcp, options, CancellationToken.None);
        return await transport.ConnectAsync(ApplicationProtocol.Http2, CancellationToken.None).AsTask().WaitAsync(Guard);
    }

    /// <summary>Echoes what it gets, over TLS.</summary>
    private TestServer TlsServer(string name, DateTimeOffset notAfter, params SslApplicationProtocol[] protocols)
    {
        var certificate = _certificates.Issue(name, notAfter);
        return new TestServer(async (stream, cancellationToken) =>
        {
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = protocols.Length > 0 ? [.. protocols] : null }, cancellationToken);
            var buffer = new byte[1024];
            while (await tls.ReadAsync(buffer, cancellationToken) is > 0 and var read)
                await tls.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        });
    }
}
