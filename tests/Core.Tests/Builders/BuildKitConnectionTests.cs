using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using BuildKit.Builders;
using BuildKit.Session;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Builders;

public sealed class BuildKitConnectionTests
{
    private static readonly TimeSpan Guard = Poll.Patience;

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, "28.5.", "1.51", BuildKitImageStore.Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd, "28.5.", "1.51", BuildKitImageStore.Containerd)]
    [InlineData(EngineKind.Docker26, "26.1.", "1.45", BuildKitImageStore.Graphdriver)]
    [InlineData(EngineKind.Docker26Containerd, "26.1.", "1.45", BuildKitImageStore.Containerd)]
    [InlineData(EngineKind.Docker20, "20.10.", "1.41", BuildKitImageStore.Graphdriver)]
    public async Task An_Engine_is_reached_by_the_upgrade(EngineKind kind, string engineVersion, string apiVersion, BuildKitImageStore store)
    {
        var endpoint = TestEndpoints.For(await TestEngines.GetAsync(kind));
        for (var time = 0; time < 2; time++) // the second time, the route is remembered
        {
            await using var connection = await BuildKitConnection.ConnectAsync(endpoint).WaitAsync(Guard);
            Assert.Equal((BuildKitServerKind.DockerEngine, GrpcRoute.Upgrade, store, apiVersion), (connection.Kind, connection.Route, connection.ImageStore, connection.ApiVersion));
            Assert.StartsWith(engineVersion, connection.EngineVersion, StringComparison.Ordinal);

            var server = await connection.GetServerAsync().WaitAsync(Guard);
            Assert.Equal((connection.EngineVersion, apiVersion, store, endpoint.Address), (server.EngineVersion, server.ApiVersion, server.ImageStore, server.Address));
            Assert.Equal(kind == EngineKind.Docker20, server.Version is null);
            Assert.Contains(server.Platforms, platform => platform is "linux/amd64" or "linux/arm64");

            var worker = Assert.Single(await connection.GetWorkersAsync().WaitAsync(Guard));
            Assert.NotEmpty(worker.Id);
            Assert.Equal(server.Platforms, worker.Platforms);
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.BuildkitdTls)]
    public async Task A_buildkitd_is_reached_directly(EngineKind kind)
    {
        var endpoint = TestEndpoints.For(await TestEngines.GetAsync(kind));
        for (var time = 0; time < 2; time++)
        {
            await using var connection = await BuildKitConnection.ConnectAsync(endpoint).WaitAsync(Guard);
            Assert.Equal((BuildKitServerKind.Buildkitd, GrpcRoute.Direct, BuildKitImageStore.None), (connection.Kind, connection.Route, connection.ImageStore));
            Assert.Null(connection.EngineVersion);
            Assert.Equal(endpoint.Address, connection.Name);

            var server = await connection.GetServerAsync().WaitAsync(Guard);
            Assert.Equal(("v0.25.2", "debian"), (server.Version, server.Revision));
            Assert.NotEmpty(server.GCPolicies);
            Assert.Contains(server.GCPolicies, policy => policy.KeepDuration == TimeSpan.FromHours(48));

            var worker = Assert.Single(await connection.GetWorkersAsync().WaitAsync(Guard));
            Assert.Equal("oci", worker.Labels["org.mobyproject.buildkit.worker.executor"]);
            Assert.Equal("v0.25.2", worker.Version);
        }
    }

    [SkippableFact]
    public async Task An_Engine_that_serves_gRPC_itself_is_reached_directly()
    {
        await using var proxy = new DirectEngineProxy(
            (await TestEngines.GetAsync(EngineKind.Docker28Containerd)).Address.AbsolutePath, (await TestEngines.GetAsync(EngineKind.BuildkitdUnix)).Address.AbsolutePath);
        var endpoint = BuildKitEndpoint.Parse($"unix://{proxy.SocketPath}");

        await using var connection = await BuildKitConnection.ConnectAsync(endpoint).WaitAsync(Guard);
        Assert.Equal((BuildKitServerKind.DockerEngine, GrpcRoute.Direct), (connection.Kind, connection.Route));
        var server = await connection.GetServerAsync().WaitAsync(Guard);
        Assert.Equal("v0.25.2", server.Version);
        Assert.StartsWith("28.5.", server.EngineVersion, StringComparison.Ordinal);
        Assert.Equal("1.52", connection.ApiVersion);
        Assert.DoesNotContain(proxy.Connections, start => start.StartsWith("POST", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("1.51", true, GrpcRoute.Direct)]
    [InlineData("1.52", false, GrpcRoute.Upgrade)]
    public async Task Whatever_the_version_promises_the_other_way_is_tried_too(string apiVersion, bool direct, GrpcRoute route)
    {
        await using var proxy = new DirectEngineProxy(
            (await TestEngines.GetAsync(EngineKind.Docker28Graphdriver)).Address.AbsolutePath,
            direct ? (await TestEngines.GetAsync(EngineKind.BuildkitdUnix)).Address.AbsolutePath : null, refuseUpgrade: direct, apiVersion);
        Assert.Equal(route, await RouteAsync(proxy.SocketPath));
        Assert.Contains(proxy.Connections, start => start.StartsWith("PRI", StringComparison.Ordinal));
        Assert.Contains(proxy.Connections, start => start.StartsWith("POST", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task The_route_is_remembered_and_found_anew_when_it_no_longer_leads_there()
    {
        var docker = (await TestEngines.GetAsync(EngineKind.Docker28Graphdriver)).Address.AbsolutePath;
        var buildkitd = (await TestEngines.GetAsync(EngineKind.BuildkitdUnix)).Address.AbsolutePath;
        string path;
        await using (var old = new DirectEngineProxy(docker, null, refuseUpgrade: false))
        {
            path = old.SocketPath;
            Assert.Equal([GrpcRoute.Upgrade, GrpcRoute.Upgrade], [await RouteAsync(path), await RouteAsync(path)]);
            Assert.Single(old.Connections, start => start.StartsWith("PRI", StringComparison.Ordinal));
        }

        // The Engine was updated: the same address, and no upgrade any more.
        await using var updated = new DirectEngineProxy(docker, buildkitd);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, updated.SocketPath);
        try
        {
            Assert.Equal([GrpcRoute.Direct, GrpcRoute.Direct], [await RouteAsync(path), await RouteAsync(path)]);
            Assert.Single(updated.Connections, start => start.StartsWith("POST", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [SkippableFact]
    public async Task An_Engine_without_any_way_to_gRPC_is_told()
    {
        await using var proxy = new DirectEngineProxy((await TestEngines.GetAsync(EngineKind.Docker28Graphdriver)).Address.AbsolutePath, null);
        var failure = await FailAsync(BuildKitEndpoint.Parse($"unix://{proxy.SocketPath}"));
        Assert.Equal("BuildKit.NotABuilder", failure.ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.BuildkitdTls)]
    public async Task On_a_session_the_daemon_is_the_client(EngineKind kind)
    {
        await using var connection = await BuildKitConnection.ConnectAsync(TestEndpoints.For(await TestEngines.GetAsync(kind))).WaitAsync(Guard);
        var handshake = new SessionHandshake(Guid.NewGuid().ToString("N"), "büro", "shared", ["/grpc.health.v1.Health/Check", "/moby.filesync.v1.FileSync/DiffCopy"]);
        await using var stream = await connection.OpenSessionStreamAsync(handshake, CancellationToken.None).WaitAsync(Guard);

        // RFC 9113 section 3.4: a client begins with the preface, then SETTINGS.
        await stream.WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 });
        var start = new byte[28];
        await stream.ReadExactlyAsync(start).AsTask().WaitAsync(Guard);
        Assert.Equal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Encoding.ASCII.GetString(start, 0, 24));
        Assert.Equal(4, start[27]);
    }

    [SkippableFact]
    public async Task A_connection_outlives_its_daemons_restart()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdUnix);
        await using var connection = await BuildKitConnection.ConnectAsync(TestEndpoints.For(engine)).WaitAsync(Guard);
        await engine.KillAsync();
        var failure = await Assert.ThrowsAsync<ConnectionFailedException>(() => connection.GetWorkersAsync().WaitAsync(Guard));
        Assert.Contains(failure.ErrorId, new[] { "BuildKit.ConnectionRefused", "BuildKit.SocketNotFound", "BuildKit.ConnectionLost" });
        Assert.Contains(engine.Address.OriginalString, failure.Message, StringComparison.Ordinal);

        failure = await FailAsync(TestEndpoints.For(engine));
        Assert.Contains(failure.ErrorId, new[] { "BuildKit.ConnectionRefused", "BuildKit.SocketNotFound" });

        await engine.RestartAsync();
        Assert.Single(await connection.GetWorkersAsync().WaitAsync(Guard));
    }

    [SkippableFact]
    public async Task A_wrong_authority_is_told()
    {
        using var others = new Transport.TestCertificates();
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        Assert.Equal("BuildKit.TlsUntrusted", (await FailAsync(engine, TestEndpoints.Tls(engine) with { CaFile = others.CaFile })).ErrorId);
    }

    [SkippableFact]
    public async Task A_client_certificate_of_another_authority_is_told()
    {
        using var others = new Transport.TestCertificates();
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        var failure = await FailAsync(engine, TestEndpoints.Tls(engine) with { CertificateFile = others.CertificateFile, KeyFile = others.KeyFile });
        Assert.Equal("BuildKit.TlsClientCertificateRefused", failure.ErrorId);
    }

    [SkippableFact]
    public async Task A_missing_client_certificate_is_told()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        var failure = await FailAsync(engine, TestEndpoints.Tls(engine) with { CertificateFile = null, KeyFile = null });
        Assert.Equal("BuildKit.TlsClientCertificateRequired", failure.ErrorId);
    }

    [SkippableFact]
    public async Task A_wrong_server_name_is_told()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        Assert.Equal("BuildKit.TlsNameMismatch", (await FailAsync(engine, TestEndpoints.Tls(engine) with { ServerName = "builder.example" })).ErrorId);
    }

    [SkippableTheory]
    [InlineData(null)]
    [InlineData("http/1.1")]
    public async Task An_Engine_behind_TLS_is_reached(string? protocol)
    {
        var docker = (await TestEngines.GetAsync(EngineKind.Docker28Graphdriver)).Address.AbsolutePath;
        using var certificates = new Transport.TestCertificates();
        using var certificate = certificates.Issue("server", DateTimeOffset.UtcNow.AddDays(1));
        await using var server = new Transport.TestServer(async (stream, cancellationToken) =>
        {
            await using var tls = new SslStream(stream);
            var options = new SslServerAuthenticationOptions { ServerCertificate = certificate };
            if (protocol is not null)
                options.ApplicationProtocols = [new SslApplicationProtocol(protocol)];
            await tls.AuthenticateAsServerAsync(options, cancellationToken);
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(docker), cancellationToken);
            await using var daemon = new NetworkStream(socket);
            await Task.WhenAny(tls.CopyToAsync(daemon, cancellationToken), daemon.CopyToAsync(tls, cancellationToken));
        });

        var endpoint = BuildKitEndpoint.Parse($"tcp://localhost:{server.Port}", new BuildKitTlsOptions { CaFile = certificates.CaFile });
        await using var connection = await BuildKitConnection.ConnectAsync(endpoint).WaitAsync(Guard);
        Assert.Equal((BuildKitServerKind.DockerEngine, GrpcRoute.Upgrade), (connection.Kind, connection.Route));
        Assert.Single(await connection.GetWorkersAsync().WaitAsync(Guard));

        Assert.Equal("BuildKit.TlsRequired", (await FailAsync(BuildKitEndpoint.Parse($"tcp://localhost:{server.Port}"))).ErrorId);
    }

    [SkippableFact]
    public async Task No_TLS_to_a_TLS_port_is_told() =>
        Assert.Equal("BuildKit.TlsRequired", (await FailAsync(await TestEngines.GetAsync(EngineKind.BuildkitdTls), null)).ErrorId);

    [SkippableFact]
    public async Task Something_else_that_answers_is_told()
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        var failure = await FailAsync(BuildKitEndpoint.Parse($"tcp://127.0.0.1:{registry.Address.Port}") with { Source = "$env:DOCKER_HOST" });
        Assert.Equal("BuildKit.NotABuilder", failure.ErrorId);
        Assert.Contains("chosen by $env:DOCKER_HOST", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_that_hangs_times_out()
    {
        await using var server = new Transport.TestServer((_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken));
        var failure = await FailAsync(BuildKitEndpoint.Parse($"tcp://127.0.0.1:{server.Port}") with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        Assert.Equal("BuildKit.ConnectionTimeout", failure.ErrorId);
    }

    [Fact]
    public async Task Connecting_can_be_cancelled()
    {
        await using var server = new Transport.TestServer((_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken));
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => BuildKitConnection.ConnectAsync(BuildKitEndpoint.Parse($"tcp://127.0.0.1:{server.Port}"), cancel.Token).WaitAsync(Guard));
    }

    private static async Task<GrpcRoute> RouteAsync(string socketPath)
    {
        await using var connection = await BuildKitConnection.ConnectAsync(BuildKitEndpoint.Parse($"unix://{socketPath}")).WaitAsync(Guard);
        return connection.Route;
    }

    private static Task<ConnectionFailedException> FailAsync(TestEngine engine, BuildKitTlsOptions? tls) =>
        FailAsync(BuildKitEndpoint.Parse(engine.Address.OriginalString, tls));

    private static async Task<ConnectionFailedException> FailAsync(BuildKitEndpoint endpoint)
    {
        var failure = await Assert.ThrowsAsync<ConnectionFailedException>(() => BuildKitConnection.ConnectAsync(endpoint).WaitAsync(Guard));
        Assert.Contains(endpoint.Address, failure.Message, StringComparison.Ordinal);
        return failure;
    }
}
