using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using BuildKit.Builders;
using BuildKit.Diagnosis;
using BuildKit.Tests.Builders;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Diagnosis;

/// <summary>What the doctor says of daemons that can't be reached: always a failed check, never an error.</summary>
public sealed class DoctorConnectionTests : IDisposable
{
    private readonly Doctor _doctor = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doctor");
    private readonly TestCertificates _certificates = new();

    public void Dispose()
    {
        _doctor.Dispose();
        _folder.Delete(recursive: true);
        _certificates.Dispose();
    }

    [Fact]
    public async Task A_socket_that_is_not_there() =>
        await FailsAsync(BuildKitEndpoint.Parse($"unix://{Socket("none")}"), "BuildKit.SocketNotFound", "there is no such socket", "Start the Docker Engine or buildkitd");

    [Fact]
    public async Task A_socket_that_nobody_listens_on()
    {
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(Socket("dead")));
            socket.Listen();
            // .NET removes the file with the socket, a killed daemon leaves it behind.
            File.Move(Socket("dead"), Socket("kept"));
        }
        await FailsAsync(BuildKitEndpoint.Parse($"unix://{Socket("kept")}"), "BuildKit.ConnectionRefused", "no daemon listens on it", "Start the Docker Engine or buildkitd");
    }

    [Fact]
    public async Task A_server_that_is_no_engine()
    {
        await using var server = Answering("HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await FailsAsync(
            BuildKitEndpoint.Parse($"unix://{Socket("peer")}"), "BuildKit.NotABuilder", "neither a Docker Engine nor a buildkitd: it answers /_ping with HTTP 404", "another program");
    }

    [Fact]
    public async Task An_engine_that_is_too_old()
    {
        await using var server = Answering("HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await FailsAsync(BuildKitEndpoint.Parse($"unix://{Socket("peer")}"), "BuildKit.EngineTooOld", "speaks API 1.40; 1.41 (Docker 20.10) is the oldest", "Update the Docker Engine");
    }

    [Fact]
    public async Task A_peer_that_never_answers_fails_in_time()
    {
        await using var server = Silent();
        var watch = Stopwatch.StartNew();

        await FailsAsync(BuildKitEndpoint.Parse($"unix://{Socket("peer")}"), "BuildKit.ConnectionTimeout", "did not answer within 1 s", "may hang", TimeSpan.FromSeconds(1));

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"{watch.Elapsed}");
    }

    [Fact]
    public async Task It_can_be_cancelled()
    {
        await using var server = Silent();
        using var stop = new CancellationTokenSource();
        var request = new BuildKitDoctorRequest { Endpoint = BuildKitEndpoint.Parse($"unix://{Socket("peer")}"), Timeout = TimeSpan.FromMinutes(10) };
        var names = new List<string>();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var check in BuildKitDoctor.RunAsync(request, stop.Token))
            {
                names.Add(check.Name);
                if (check.Name == "Tls")
                    stop.CancelAfter(10);
            }
        }).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("Tls", names[^1]);
    }

    [SkippableFact]
    public async Task An_authority_that_did_not_sign_the_daemons_certificate()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        await FailsAsync(Tls(engine, new BuildKitTlsOptions { CaFile = _certificates.CaFile }), "BuildKit.TlsUntrusted", "does not come from the authorities in", "Give the CA file");
    }

    [SkippableFact]
    public async Task A_certificate_for_another_host()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        await FailsAsync(Tls(engine, TestEndpoints.Tls(engine) with { ServerName = "elsewhere" }), "BuildKit.TlsNameMismatch", "is not for 'elsewhere'", "server name");
    }

    [SkippableFact]
    public async Task A_client_certificate_that_is_missing()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        await FailsAsync(
            Tls(engine, new BuildKitTlsOptions { CaFile = engine.CaCertificatePath }), "BuildKit.TlsClientCertificateRequired", "wants a client certificate", "certificate and key");
    }

    [SkippableFact]
    public async Task A_client_certificate_of_somebody_else()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        var tls = new BuildKitTlsOptions { CaFile = engine.CaCertificatePath, CertificateFile = _certificates.CertificateFile, KeyFile = _certificates.KeyFile };
        var checks = await FailsAsync(Tls(engine, tls), "BuildKit.TlsClientCertificateRefused", "refused the client certificate", "from the authority that the daemon trusts");
        // It lives for a day.
        Doctor.AssertChecks("Warning Tls the client's certificate; runs out in; Renew the client's certificate", checks);
    }

    [SkippableFact]
    public async Task No_tls_where_the_daemon_speaks_it()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        var checks = await FailsAsync(Tls(engine, null), "BuildKit.TlsRequired", "speaks TLS, and no TLS was asked for", "Give the CA file");
        Doctor.AssertChecks("Skipped Tls no TLS was asked for", checks);
    }

    [Fact]
    public async Task A_certificate_that_has_run_out()
    {
        using var certificate = _certificates.Issue("server", DateTimeOffset.UtcNow.AddDays(-1));
        await using var server = new TestServer(async (stream, cancellationToken) =>
        {
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancellationToken);
        });
        var endpoint = BuildKitEndpoint.Parse($"tcp://127.0.0.1:{server.Port}", new BuildKitTlsOptions { CaFile = _certificates.CaFile });

        var checks = await FailsAsync(endpoint, "BuildKit.TlsCertificateExpired", "is not valid now", "Renew the daemon's certificate");

        Doctor.AssertChecks("Fail Tls the daemon's certificate 'CN=server' is valid from; Renew the daemon's certificate, or set the clock", checks);
    }

    [Fact]
    public async Task Certificate_files_that_are_missing()
    {
        var endpoint = BuildKitEndpoint.Parse("tcp://127.0.0.1:1", new BuildKitTlsOptions { CaFile = Path.Combine(_folder.FullName, "ca.pem") });
        var checks = await FailsAsync(endpoint, "BuildKit.TlsFileNotFound", "does not exist", "path of the certificates");
        Doctor.AssertChecks("Fail Tls does not exist", checks);
    }

    private async Task<List<BuildKitCheck>> FailsAsync(BuildKitEndpoint endpoint, string errorId, string words, string recommendation, TimeSpan? timeout = null)
    {
        var checks = await _doctor.RunAsync(endpoint, request => request with { Timeout = timeout ?? request.Timeout });

        Assert.Equal(BuildKitDoctor.CheckNames, checks.Select(check => check.Name));
        var connection = Assert.Single(checks, check => check.Name == "Connection");
        Assert.Equal((BuildKitCheckStatus.Fail, errorId), (connection.Status, connection.ErrorId));
        Assert.Contains(words, connection.Detail, StringComparison.Ordinal);
        Assert.Contains(recommendation, connection.Recommendation, StringComparison.Ordinal);
        var after = checks.SkipWhile(check => check.Name != "Connection").Skip(1).ToList();
        Assert.Equal(11, after.Count);
        Assert.All(after, check => Assert.Equal(BuildKitCheckStatus.Skipped, check.Status));
        Assert.All(after, check => Assert.StartsWith("Not checked:", check.Detail, StringComparison.Ordinal));
        return checks;
    }

    private static BuildKitEndpoint Tls(TestEngine engine, BuildKitTlsOptions? tls) => BuildKitEndpoint.Parse(engine.Address.OriginalString, tls);

    private string Socket(string name) => Path.Combine(_folder.FullName, name);

    private TestServer Silent() => new((_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken), Socket("peer"));

    private TestServer Answering(string answer) => new(
        async (stream, cancellationToken) =>
        {
            _ = await stream.ReadAsync(new byte[4096], cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), cancellationToken);
        },
        Socket("peer"));
}
