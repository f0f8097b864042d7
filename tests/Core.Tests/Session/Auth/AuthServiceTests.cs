using System.Text;
using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Protocol.Auth;
using BuildKit.Registry.Auth;
using BuildKit.Session.Auth;
using BuildKit.Tests.Transport;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Session.Auth;

public sealed class AuthServiceTests : IDisposable
{
    private const string Host = "registry.example:5000";
    private const string Secret = "s3cr3t";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("buildkit-test-");
    private readonly Dictionary<string, string?> _environment = [];
    private readonly HttpClient _http = TokenClient.CreateHttpClient();
    private readonly List<IDisposable> _disposables = [];

    public void Dispose()
    {
        _disposables.ForEach(disposable => disposable.Dispose());
        _http.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void The_four_methods_are_served() => Assert.Equal(
        ["/moby.filesync.v1.Auth/Credentials", "/moby.filesync.v1.Auth/FetchToken", "/moby.filesync.v1.Auth/GetTokenAuthority", "/moby.filesync.v1.Auth/VerifyTokenAuthority"],
        Service().Definition.MethodNames.Order());

    [Fact]
    public async Task Credentials_are_user_and_password_or_the_identity_token_alone_or_nothing()
    {
        var withPassword = await CallAsync<CredentialsRequest, CredentialsResponse>(Service(Password()), new() { Host = Host });
        Assert.Equal(("user", Secret), (withPassword.Username, withPassword.Secret));
        var withToken = await CallAsync<CredentialsRequest, CredentialsResponse>(
            Service(new DockerAuthConfig { Username = "user", Password = "p", IdentityToken = Secret }), new() { Host = Host });
        Assert.Equal(("", Secret), (withToken.Username, withToken.Secret));
        var none = await CallAsync<CredentialsRequest, CredentialsResponse>(Service(), new() { Host = Host });
        Assert.Equal(("", ""), (none.Username, none.Secret));
    }

    [Fact]
    public async Task A_token_for_a_password_is_fetched_by_post()
    {
        await using var server = new LoopbackHttp(_ => (200, """{"access_token":"T","expires_in":300,"issued_at":"2024-05-06T07:08:09Z","refresh_token":"R"}"""));
        var response = await FetchAsync(Service(Password()), server, "repository:a/b:pull", "repository:c:push,pull");
        Assert.Equal(("T", 300L, 1714979289L), (response.Token, response.ExpiresIn, response.IssuedAt));
        var request = Assert.Single(server.Requests);
        Assert.Equal("POST", request.Method);
        Assert.StartsWith("application/x-www-form-urlencoded", request.ContentType, StringComparison.Ordinal);
        Assert.Equal(
            "client_id=buildkit-client&grant_type=password&password=s3cr3t&scope=repository%3Aa%2Fb%3Apull+repository%3Ac%3Apush%2Cpull&service=the+service&username=user",
            string.Join('&', request.Body.Split('&').Order(StringComparer.Ordinal)));
        Assert.Null(request.Authorization);
    }

    [Fact]
    public async Task A_token_for_an_identity_token_is_fetched_by_a_refresh()
    {
        await using var server = new LoopbackHttp(_ => (200, """{"access_token":"T"}"""));
        var response = await FetchAsync(Service(new DockerAuthConfig { IdentityToken = Secret }), server);
        Assert.Equal(("T", 60L, 0L), (response.Token, response.ExpiresIn, response.IssuedAt));
        Assert.Equal(
            "client_id=buildkit-client&grant_type=refresh_token&refresh_token=s3cr3t&service=the+service",
            string.Join('&', Assert.Single(server.Requests).Body.Split('&').Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(405)]
    public async Task A_server_without_oauth_gets_a_get_with_basic_authentication(int status)
    {
        await using var server = new LoopbackHttp(request => request.Method == "POST" ? (status, "no") : (200, """{"token":"T","expires_in":"120"}"""));
        var response = await FetchAsync(Service(Password()), server, "repository:a:pull", "repository:b:pull");
        Assert.Equal(("T", 120L), (response.Token, response.ExpiresIn));
        var get = server.Requests[^1];
        Assert.Equal("?service=the%20service&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull", get.Query);
        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("user:s3cr3t")), get.Authorization);
    }

    [Fact]
    public async Task An_anonymous_token_is_fetched_by_get_and_the_query_of_the_realm_stays()
    {
        await using var server = new LoopbackHttp(_ => (200, """{"token":"older","access_token":"T"}"""));
        var response = await CallAsync<FetchTokenRequest, FetchTokenResponse>(Service(), new() { Host = Host, Realm = Realm(server) + "?a=b", Scopes = { "s" } });
        Assert.Equal("T", response.Token);
        var get = Assert.Single(server.Requests);
        Assert.Equal(("GET", "?a=b&scope=s", null), (get.Method, get.Query, get.Authorization));
    }

    [Fact]
    public async Task A_registry_token_is_handed_on_as_it_is()
    {
        await using var server = new LoopbackHttp(_ => (500, ""));
        Assert.Equal("ready-made", (await FetchAsync(Service(new DockerAuthConfig { RegistryToken = "ready-made" }), server)).Token);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(500, "s3cr3t", "BuildKit.TokenFetchFailed")]
    [InlineData(403, "s3cr3t", "BuildKit.RegistryDenied")]
    [InlineData(401, "s3cr3t", "BuildKit.RegistryDenied")]
    [InlineData(200, "{\"token\":\"s3cr3t", "BuildKit.TokenFetchFailed")]
    [InlineData(200, "{}", "BuildKit.TokenFetchFailed")]
    public async Task A_server_that_fails_is_named_and_nothing_secret_is_shown(int status, string body, string errorId)
    {
        await using var server = new LoopbackHttp(_ => (status, body));
        var service = Service(Password());
        var rpc = await Assert.ThrowsAsync<RpcException>(() => FetchAsync(service, server));
        Assert.Equal(errorId, service.Failure!.ErrorId);
        Assert.Equal(service.Failure.Message, rpc.Status.Detail);
        Assert.Contains(Realm(server), rpc.Status.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, service.Failure + rpc.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Credentials_do_not_follow_a_redirection_to_another_origin(int status)
    {
        await using var other = new LoopbackHttp(_ => (200, """{"token":"T"}"""));
        foreach (var post in new[] { true, false })
        {
            await using var server = new LoopbackHttp(request => post || request.Method == "GET" ? (status, Realm(other)) : (404, ""));
            var service = Service(Password());
            var rpc = await Assert.ThrowsAsync<RpcException>(() => FetchAsync(service, server, "repository:a:pull"));
            Assert.Equal("BuildKit.TokenFetchFailed", service.Failure!.ErrorId);
            Assert.Contains("redirects to " + Realm(other).Replace("/token", "", StringComparison.Ordinal), rpc.Status.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, service.Failure + rpc.ToString(), StringComparison.Ordinal);
        }
        Assert.Empty(other.Requests);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("https")]
    public async Task Another_name_or_scheme_of_the_same_address_is_another_origin(string other)
    {
        await using var server = new LoopbackHttp(request => (308, other == "https" ? "https://" + request.Authority + "/there" : $"http://{other}:{request.Authority.Split(':')[1]}/there"));
        var service = Service(Password());
        await Assert.ThrowsAsync<RpcException>(() => FetchAsync(service, server));
        Assert.Contains("redirects to", service.Failure!.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(308)]
    public async Task A_redirection_within_the_origin_repeats_the_request(int status)
    {
        await using var server = new LoopbackHttp(request => request.Path == "/token" ? (status, "/there?x=1") : (200, """{"token":"T"}"""));
        Assert.Equal("T", (await FetchAsync(Service(Password()), server, "repository:a:pull")).Token);
        Assert.Equal([("POST", "/token", ""), ("POST", "/there", "?x=1")], server.Requests.Select(request => (request.Method, request.Path, request.Query)));
        Assert.Equal(server.Requests[0].Body, server.Requests[1].Body);
    }

    [Fact]
    public async Task An_anonymous_request_may_be_sent_elsewhere()
    {
        await using var other = new LoopbackHttp(_ => (200, """{"token":"T"}"""));
        await using var server = new LoopbackHttp(_ => (307, Realm(other) + "?there=1"));
        Assert.Equal("T", (await FetchAsync(Service(), server)).Token);
        Assert.Equal("?there=1", Assert.Single(other.Requests).Query);
    }

    [Theory]
    [InlineData(308, "/token")]
    [InlineData(307, "ftp://127.0.0.1/token")]
    [InlineData(303, "/there")]
    [InlineData(302, "")]
    public async Task A_redirection_that_leads_nowhere_is_an_error(int status, string location)
    {
        await using var server = new LoopbackHttp(_ => (status, location));
        var service = Service(Password());
        await Assert.ThrowsAsync<RpcException>(() => FetchAsync(service, server));
        Assert.Equal("BuildKit.TokenFetchFailed", service.Failure!.ErrorId);
        Assert.InRange(server.Requests.Count, 1, 10);
    }

    [Fact]
    public async Task A_refusal_names_the_repositories()
    {
        await using var server = new LoopbackHttp(_ => (401, ""));
        var service = Service(Password());
        await Assert.ThrowsAsync<RpcException>(() => FetchAsync(service, server, "repository:a/b:pull,push repository:c:pull"));
        Assert.Contains($"'{Host}' refused the credentials for 'a/b, c'", service.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_wants_credentials_where_there_are_none_says_to_log_in()
    {
        await using var server = new LoopbackHttp(_ => (401, ""));
        var service = Service();
        await Assert.ThrowsAsync<RpcException>(() => FetchAsync(service, server));
        Assert.Equal("BuildKit.RegistryDenied", service.Failure!.ErrorId);
        Assert.Contains("wants credentials", service.Failure.Message, StringComparison.Ordinal);
        Assert.EndsWith($"docker login {Host}", service.Failure.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("token")]
    [InlineData("")]
    public async Task A_realm_that_is_no_web_address_is_refused(string realm)
    {
        var service = Service(Password());
        await Assert.ThrowsAsync<RpcException>(() => CallAsync<FetchTokenRequest, FetchTokenResponse>(service, new() { Host = Host, Realm = realm }));
        Assert.Equal("BuildKit.TokenFetchFailed", service.Failure!.ErrorId);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_an_error()
    {
        using var closed = new ClosedPort();
        var service = Service();
        await Assert.ThrowsAsync<RpcException>(() => CallAsync<FetchTokenRequest, FetchTokenResponse>(service, new() { Host = Host, Realm = closed.Address }));
        Assert.Equal("BuildKit.TokenFetchFailed", service.Failure!.ErrorId);
    }

    [Fact]
    public async Task The_authority_is_the_same_for_the_same_credentials_and_differs_by_salt_and_host()
    {
        var first = await AuthorityAsync(Service(Password()), "salt");
        Assert.Equal(32, first.Length);
        Assert.Equal(first, await AuthorityAsync(Service(Password()), "salt"));
        Assert.NotEqual(first, await AuthorityAsync(Service(Password()), "other salt"));
        Assert.NotEqual(first, await AuthorityAsync(Service(Password()), "salt", "other.example"));
        Assert.NotEqual(first, await AuthorityAsync(Service(), "salt"));
    }

    [Fact]
    public async Task The_authority_signs_as_nacl_does()
    {
        // The seed of HMAC-SHA256("salt", "0123456789abcdef"), and what Go's nacl/sign and crypto/ed25519 make of it.
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, ".token_seed"), $$$"""{"{{{Host}}}":{"Seed":"MDEyMzQ1Njc4OWFiY2RlZg=="}}""");
        var service = Service(Password());
        var seed = System.Security.Cryptography.HMACSHA256.HashData("salt"u8, "0123456789abcdef"u8);
        Assert.Equal(Ed25519.PublicKey(seed), await AuthorityAsync(service, "salt"));
        var verified = await CallAsync<VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse>(
            service, new() { Host = Host, Salt = ByteString.CopyFromUtf8("salt"), Payload = ByteString.CopyFromUtf8("payload") });
        Assert.Equal([.. Ed25519.Sign(seed, "payload"u8), .. "payload"u8.ToArray()], verified.Signed.ToByteArray());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("true")]
    public async Task The_authority_can_be_turned_off_as_upstream(string value)
    {
        _environment["BUILDKIT_NO_CLIENT_TOKEN"] = value;
        var service = Service(Password());
        var error = await Assert.ThrowsAsync<RpcException>(() => AuthorityAsync(service, "salt"));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Null(service.Failure);
    }

    [Fact]
    public async Task Seeds_are_stored_as_the_docker_cli_stores_them_and_only_for_us_to_read()
    {
        var path = Path.Combine(_directory.FullName, ".token_seed");
        await File.WriteAllTextAsync(path, """{"kept.example":{"Seed":"AAECAwQFBgcICQoLDA0ODw=="}}""");
        using var seeds = new TokenSeeds(_directory.FullName);
        var seed = await seeds.GetAsync(Host, default);
        Assert.Equal(16, seed.Length);
        Assert.Equal(new byte[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, await seeds.GetAsync("kept.example", default));
        using var json = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(path));
        Assert.Equal(seed, json.RootElement.GetProperty(Host).GetProperty("Seed").GetBytesFromBase64());
        Assert.True(json.RootElement.TryGetProperty("kept.example", out _));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task Seeds_of_two_processes_at_once_do_not_lose_each_other()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            using var seeds = new TokenSeeds(_directory.FullName);
            await seeds.GetAsync($"host{i}", default).WaitAsync(Poll.Patience);
        }));
        using var json = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_directory.FullName, ".token_seed")));
        Assert.Equal(8, json.RootElement.EnumerateObject().Count());
    }

    [Fact]
    public async Task A_seed_file_that_was_cut_off_is_started_anew_and_an_unwritable_folder_does_not_matter()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, ".token_seed"), "{\"half");
        using var seeds = new TokenSeeds(_directory.FullName);
        Assert.Equal(16, (await seeds.GetAsync(Host, default)).Length);

        var file = Path.Combine(_directory.FullName, "file");
        await File.WriteAllTextAsync(file, "");
        using var nowhere = new TokenSeeds(Path.Combine(file, "below"));
        Assert.Equal(await nowhere.GetAsync(Host, default), await nowhere.GetAsync(Host, default));
    }

    private static DockerAuthConfig Password() => new() { Username = "user", Password = Secret };

    private AuthService Service(DockerAuthConfig? auth = null)
    {
        var auths = new Dictionary<string, DockerAuthConfig>();
        if (auth is not null)
            auths[Host] = auth;
        var config = new DockerConfigFile { Directory = _directory.FullName, Auths = auths };
        var store = new CredentialStore(config, _environment.GetValueOrDefault, TimeProvider.System, TimeSpan.FromSeconds(30));
        var service = new AuthService(store, new TokenClient(_http), _environment.GetValueOrDefault);
        _disposables.AddRange([service, store]);
        return service;
    }

    private static string Realm(LoopbackHttp server) => server.Address + "token";

    private static Task<FetchTokenResponse> FetchAsync(AuthService service, LoopbackHttp server, params string[] scopes) =>
        CallAsync<FetchTokenRequest, FetchTokenResponse>(service, new() { Host = Host, Realm = Realm(server), Service = "the service", Scopes = { scopes } });

    private static async Task<byte[]> AuthorityAsync(AuthService service, string salt, string host = Host) =>
        (await CallAsync<GetTokenAuthorityRequest, GetTokenAuthorityResponse>(service, new() { Host = host, Salt = ByteString.CopyFromUtf8(salt) })).PublicKey.ToByteArray();

    private static Task<TResponse> CallAsync<TRequest, TResponse>(AuthService service, TRequest request)
    {
        var name = typeof(TRequest).Name.Replace("Request", "", StringComparison.Ordinal);
        var method = (ServerMethod<TRequest, TResponse>)service.Definition.Methods[$"/moby.filesync.v1.Auth/{name}"];
        return method.Unary!(request, new Context()).WaitAsync(Poll.Patience);
    }

    private sealed class Context : ServerCallContext
    {
        public override string Method => string.Empty;

        public override Metadata RequestHeaders { get; } = [];

        public override DateTime Deadline => DateTime.MaxValue;

        public override CancellationToken CancellationToken => default;

        public override Task WriteResponseHeadersAsync(Metadata responseHeaders) => Task.CompletedTask;
    }
}
