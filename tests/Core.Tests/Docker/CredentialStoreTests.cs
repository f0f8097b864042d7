using System.Diagnostics;
using System.Globalization;
using System.Text;
using BuildKit.Docker;
using Xunit;

namespace BuildKit.Tests.Docker;

public sealed class CredentialStoreTests : IDisposable
{
    private const string Secret = "s3cr3t";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("buildkit-test-");
    private readonly Dictionary<string, string?> _environment = [];
    private readonly ManualTime _time = new();

    public CredentialStoreTests() => _environment["PATH"] = $"relative{Path.PathSeparator}{_directory.FullName}{Path.PathSeparator}/usr/bin{Path.PathSeparator}/bin";

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("ghcr.io", "ghcr.io")]
    [InlineData("https://ghcr.io", "ghcr.io")]
    [InlineData("https://ghcr.io/v1/", "ghcr.io")]
    [InlineData("http://127.0.0.1:5000/v2/", "127.0.0.1:5000")]
    [InlineData("https://index.docker.io/v1/", "registry-1.docker.io")]
    [InlineData("https://index.docker.io/v1/", "docker.io")]
    [InlineData("https://index.docker.io/v1/", "index.docker.io")]
    public async Task Keys_of_the_config_are_found_as_docker_finds_them(string key, string host)
    {
        var found = await GetAsync(host, Config(("other.example", Auth("other")), (key, Auth("user"))));
        Assert.Equal(("user", Secret), (found.Username, found.Password));
    }

    [Fact]
    public async Task An_exact_key_wins_over_a_legacy_one_and_an_unknown_host_has_nothing()
    {
        var config = Config(("https://ghcr.io/v1/", Auth("legacy")), ("ghcr.io", Auth("exact")));
        Assert.Equal("exact", (await GetAsync("ghcr.io", config)).Username);
        Assert.Equal(new DockerAuthConfig(), await GetAsync("ghcr.io:443", config));
    }

    [Fact]
    public async Task A_program_is_asked_with_the_key_on_its_input()
    {
        Helper("store", """read -r server; printf '{"ServerURL":"%s","Username":"of-%s","Secret":"s3cr3t"}' "$server" "$server" """);
        var config = Config() with { CredentialsStore = "store" };
        Assert.Equal("of-ghcr.io", (await GetAsync("ghcr.io", config)).Username);
        var hub = await GetAsync("registry-1.docker.io", config);
        Assert.Equal(("of-https://index.docker.io/v1/", Secret), (hub.Username, hub.Password));
    }

    [Fact]
    public async Task The_program_of_a_host_wins_over_the_general_one_and_over_the_file()
    {
        Helper("store", """echo '{"Username":"general","Secret":"s3cr3t"}' """);
        Helper("ghcr", """echo '{"Username":"special","Secret":"s3cr3t"}' """);
        var config = Config(("ghcr.io", Auth("file"))) with { CredentialsStore = "store", CredentialHelpers = new Dictionary<string, string> { ["ghcr.io"] = "ghcr" } };
        Assert.Equal("special", (await GetAsync("ghcr.io", config)).Username);
        Assert.Equal("general", (await GetAsync("quay.io", config)).Username);
    }

    [Fact]
    public async Task An_identity_token_is_told_by_its_user_name()
    {
        Helper("store", """echo '{"Username":"<token>","Secret":"s3cr3t"}' """);
        var found = await GetAsync("ghcr.io", Config() with { CredentialsStore = "store" });
        Assert.Equal((null, null, Secret), (found.Username, found.Password, found.IdentityToken));
    }

    [Fact]
    public async Task A_program_that_has_none_means_anonymous()
    {
        Helper("store", "echo 'credentials not found in native keychain'; exit 1");
        Assert.Equal(new DockerAuthConfig(), await GetAsync("ghcr.io", Config() with { CredentialsStore = "store" }));
    }

    [Theory]
    [InlineData("echo s3cr3t; echo s3cr3t >&2; exit 3", "exit code 3")]
    [InlineData("echo '{\"Username\":\"u\",\"Secret\":\"s3cr3t'", "JSON")]
    [InlineData("echo '[\"s3cr3t\"]'", "JSON")]
    public async Task A_failing_program_is_named_and_its_output_is_not_shown(string script, string says)
    {
        Helper("store", script);
        var error = await Assert.ThrowsAsync<BuildKitException>(() => GetAsync("ghcr.io", Config() with { CredentialsStore = "store" }));
        Assert.Equal("BuildKit.CredentialHelperFailed", error.ErrorId);
        Assert.Contains("docker-credential-store", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_program_is_named()
    {
        var error = await Assert.ThrowsAsync<BuildKitException>(() => GetAsync("ghcr.io", Config() with { CredentialsStore = "absent" }));
        Assert.Equal("BuildKit.CredentialHelperNotFound", error.ErrorId);
        Assert.Equal("docker-credential-absent", error.Target);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/bin/x")]
    public async Task A_path_is_no_program_name(string suffix)
    {
        var error = await Assert.ThrowsAsync<BuildKitException>(() => GetAsync("ghcr.io", Config() with { CredentialsStore = suffix }));
        Assert.Equal("BuildKit.CredentialHelperNotFound", error.ErrorId);
    }

    [Fact]
    public async Task A_file_that_is_not_executable_is_no_program()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "docker-credential-plain"), "#!/bin/sh\n");
        var error = await Assert.ThrowsAsync<BuildKitException>(() => GetAsync("ghcr.io", Config() with { CredentialsStore = "plain" }));
        Assert.Equal("BuildKit.CredentialHelperNotFound", error.ErrorId);
    }

    [Fact]
    public async Task A_program_that_hangs_is_ended_with_its_children()
    {
        var pid = Path.Combine(_directory.FullName, "pid");
        Helper("store", $"sleep 600 & echo $! > {pid}.new; mv {pid}.new {pid}; wait");
        // A machine with much else to do may need longer to start it than it is given.
        for (var seconds = 1; !File.Exists(pid); seconds *= 3)
        {
            Assert.True(seconds < 60, "The program did not start.");
            using var store = new CredentialStore(Config() with { CredentialsStore = "store" }, _environment.GetValueOrDefault, _time, TimeSpan.FromSeconds(seconds));
            var error = await Assert.ThrowsAsync<BuildKitException>(() => store.GetAsync("ghcr.io", default).WaitAsync(2 * Poll.Patience));
            Assert.Equal("BuildKit.CredentialHelperTimeout", error.ErrorId);
        }
        var sleeping = $"/proc/{(await File.ReadAllTextAsync(pid)).Trim()}/cmdline";
        await Poll.UntilAsync(() => HasEnded(sleeping));

        // A killed process may stay a zombie, whose command line is empty.
        static bool HasEnded(string commandLine)
        {
            try
            {
                return File.ReadAllBytes(commandLine).Length == 0;
            }
            catch (IOException)
            {
                return true;
            }
        }
    }

    [Fact]
    public async Task Cancelling_ends_the_program()
    {
        Helper("store", "sleep 600");
        using var store = Store(Config() with { CredentialsStore = "store" });
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.GetAsync("ghcr.io", cancel.Token).WaitAsync(Poll.Patience));
    }

    [Fact]
    public async Task A_program_whose_child_keeps_standard_error_open_is_not_waited_for()
    {
        var pid = Path.Combine(_directory.FullName, "pid");
        Helper("store", $"sleep 600 >/dev/null </dev/null & echo $! > {pid}; " + """echo '{"Username":"u","Secret":"s"}' """);
        Assert.Equal("u", (await GetAsync("ghcr.io", Config() with { CredentialsStore = "store" }).WaitAsync(Poll.Patience)).Username);
        using var agent = Process.GetProcessById(int.Parse((await File.ReadAllTextAsync(pid)).Trim(), CultureInfo.InvariantCulture));
        agent.Kill();
    }

    [Fact]
    public async Task A_program_that_reads_nothing_and_prints_much_is_fine()
    {
        Helper("store", """exec <&-; printf '{"Username":"u","Secret":"'; head -c 100000 /dev/zero | tr '\0' x; printf '"}' """);
        Assert.Equal(100_000, (await GetAsync("ghcr.io", Config() with { CredentialsStore = "store" })).Password!.Length);
    }

    [Fact]
    public async Task A_program_that_prints_without_end_is_stopped()
    {
        Helper("store", "exec cat /dev/zero");
        var error = await Assert.ThrowsAsync<BuildKitException>(() => GetAsync("ghcr.io", Config() with { CredentialsStore = "store" }).WaitAsync(Poll.Patience));
        Assert.Equal("BuildKit.CredentialHelperFailed", error.ErrorId);
    }

    [Fact]
    public async Task Answers_are_kept_for_some_minutes()
    {
        var count = Path.Combine(_directory.FullName, "count");
        Helper("store", $"echo x >> {count}; " + """echo '{"Username":"u","Secret":"s"}' """);
        using var store = Store(Config() with { CredentialsStore = "store" });
        await store.GetAsync("ghcr.io", default);
        _time.Advance(TimeSpan.FromMinutes(4));
        await store.GetAsync("ghcr.io", default);
        Assert.Single(await File.ReadAllLinesAsync(count));
        _time.Advance(TimeSpan.FromMinutes(1));
        await store.GetAsync("ghcr.io", default);
        Assert.Equal(2, (await File.ReadAllLinesAsync(count)).Length);
    }

    [Fact]
    public async Task The_environment_comes_first()
    {
        var pair = Convert.ToBase64String(Encoding.UTF8.GetBytes("env:with:colon"));
        _environment["DOCKER_AUTH_CONFIG"] = """{"auths":{"ghcr.io":{"auth":"PAIR"}}}""".Replace("PAIR", pair, StringComparison.Ordinal);
        var config = Config(("ghcr.io", Auth("file")), ("quay.io", Auth("file")));
        var found = await GetAsync("ghcr.io", config);
        Assert.Equal(("env", "with:colon"), (found.Username, found.Password));
        Assert.Equal("file", (await GetAsync("quay.io", config)).Username);
    }

    [Theory]
    [InlineData("{\"auths\":{\"ghcr.io\":{\"auth\":\"s3cr3t")]
    [InlineData("{\"auths\":{\"ghcr.io\":{\"auth\":\"s3cr3t!\"}}}")]
    [InlineData("{\"auths\":{\"ghcr.io\":{\"auth\":\"czNjcjN0\"}}}")]
    [InlineData("{\"auths\":{\"ghcr.io\":{}}}")]
    public async Task A_malformed_environment_is_an_error_without_its_text(string text)
    {
        _environment["DOCKER_AUTH_CONFIG"] = text;
        var error = await Assert.ThrowsAsync<BuildKitException>(() => GetAsync("ghcr.io", Config()));
        Assert.Equal("BuildKit.DockerConfigInvalid", error.ErrorId);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    private CredentialStore Store(DockerConfigFile config) => new(config, _environment.GetValueOrDefault, _time, TimeSpan.FromSeconds(30));

    private async Task<DockerAuthConfig> GetAsync(string host, DockerConfigFile config)
    {
        using var store = Store(config);
        return await store.GetAsync(host, default);
    }

    private DockerConfigFile Config(params (string Key, DockerAuthConfig Auth)[] auths) =>
        new() { Directory = _directory.FullName, Auths = auths.ToDictionary(pair => pair.Key, pair => pair.Auth) };

    private static DockerAuthConfig Auth(string user) => new() { Username = user, Password = Secret };

    private void Helper(string suffix, string script) =>
        ProgramFolder.Write(Path.Combine(_directory.FullName, "docker-credential-" + suffix), $"[ \"$1\" = get ] || exit 99\n{script}");

    private sealed class ManualTime : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += (long)(time.TotalSeconds * TimestampFrequency);
    }
}
