using BuildKit.Builders;
using BuildKit.Builders.Drivers;
using BuildKit.Builders.Store;
using BuildKit.Diagnosis;
using BuildKit.Docker;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Diagnosis;

/// <summary>What this side brings: the docker config, buildx's store, the choice of the builder and its nodes, credentials.</summary>
public sealed class DoctorClientTests : IDisposable
{
    private const string Dead = "unix:///does/not/exist.sock";
    private const string Secret = "d0ctor-Geheim";

    private readonly Doctor _doctor = new();

    public void Dispose() => _doctor.Dispose();

    [Fact]
    public async Task A_malformed_docker_config_fails_and_everything_that_needs_it_is_skipped()
    {
        _doctor.Config.WriteConfig("{ not json");

        var checks = await _doctor.RunAsync((string?)null);

        Assert.Equal(BuildKitDoctor.CheckNames, checks.Select(check => check.Name));
        Doctor.AssertChecks("Fail DockerConfig is malformed; line 1; Correct the file", checks);
        Assert.All(checks.Skip(1), check => Assert.Equal((BuildKitCheckStatus.Skipped, "Not checked: DockerConfig has failed."), (check.Status, check.Detail)));
    }

    [Fact]
    public async Task The_setting_that_chose_the_endpoint_is_told()
    {
        _doctor.Environment["DOCKER_HOST"] = Dead;
        var checks = await _doctor.RunAsync((string?)null, Only("Endpoint"));
        Doctor.AssertChecks($"Pass Endpoint {Dead}, chosen by $env:DOCKER_HOST", checks);

        _doctor.Environment["DOCKER_CONTEXT"] = "remote";
        checks = await _doctor.RunAsync((string?)null, Only("Endpoint"));
        Doctor.AssertChecks("Warning Endpoint it hides the docker context 'remote'; Remove $env:DOCKER_HOST", checks);
    }

    [Fact]
    public async Task A_builder_that_nobody_knows_fails()
    {
        var checks = await _doctor.RunAsync("nobody", Only("Connection"));

        // What was not asked for is told where it fails.
        Doctor.AssertChecks("Fail Endpoint nobody\nSkipped Connection Endpoint has failed", checks);
        Assert.Equal(2, checks.Count);
    }

    [Fact]
    public async Task Builders_in_the_store_are_read_and_a_broken_one_fails()
    {
        await SaveAsync("good", "remote", Node("good0", Dead));
        Doctor.AssertChecks("Pass BuilderStore 1 builder in; good", await _doctor.RunAsync(Dead, Only("BuilderStore")));

        File.Delete(Store.LockFile);
        File.CreateSymbolicLink(Store.LockFile, Store.LockFile); // can't be opened, as on a disk that is read alone
        Doctor.AssertChecks("Warning BuilderStore can be read, but not changed", await _doctor.RunAsync(Dead, Only("BuilderStore")));
        File.Delete(Store.LockFile);
        await File.WriteAllTextAsync(Path.Combine(Store.Directory, "instances", "bad"), "{");
        Doctor.AssertChecks("Fail BuilderStore 1 of 2 builders; bad; Remove the file", await _doctor.RunAsync(Dead, Only("BuilderStore")));
    }

    [Fact]
    public async Task A_store_that_somebody_keeps_locked_is_a_warning()
    {
        await SaveAsync("good", "remote", Node("good0", Dead));
        using (await Store.LockAsync(default))
        {
            var checks = await _doctor.RunAsync(Dead, Only("BuilderStore"));
            Doctor.AssertChecks("Warning BuilderStore somebody has held the lock; hangs", checks);
        }
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_fails()
    {
        Directory.Delete(Directory.CreateDirectory(Store.Directory).FullName);
        File.CreateSymbolicLink(Store.Directory, Store.Directory);
        Doctor.AssertChecks("Fail BuilderStore can't be read or written; rights", await _doctor.RunAsync(Dead, Only("BuilderStore")));
    }

    [Fact]
    public async Task A_node_that_cannot_be_found_is_a_warning()
    {
        await SaveAsync("pair", "docker-container", Node("lost", "gone"), Node("there", Dead));
        var checks = await _doctor.RunAsync("pair", request => request with { Includes = name => name is "Endpoint" or "NodeStatus" });
        Doctor.AssertChecks("Warning Endpoint buildx_buildkit_there; Node 'lost'; gone\nFail NodeStatus no such socket", checks);
        Assert.Equal(["there"], checks.Select(check => check.Node).OfType<string>().Distinct());
    }

    [SkippableFact]
    public async Task Each_node_is_looked_at()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        await SaveAsync("two", "remote", Node("alive", engine.Address.OriginalString) with { Platforms = ["linux/s390x"] }, Node("dead", Dead));

        var checks = await _doctor.RunAsync("two");

        Doctor.AssertChecks("Pass Endpoint chosen by builder 'two'", checks);
        Assert.Equal(["alive", "dead"], checks.Select(check => check.Node).OfType<string>().Distinct());
        Assert.All(checks.Where(check => check.Node is not null), check => Assert.Equal("two", check.Builder));
        Doctor.AssertChecks("Pass Connection a buildkitd\nWarning Platforms this node has linux/s390x, and it does not", checks.FindAll(check => check.Node == "alive"));
        Doctor.AssertChecks("Fail Connection no such socket\nSkipped Clock Connection has failed", checks.FindAll(check => check.Node == "dead"));
    }

    [Theory]
    [InlineData(BuildKitNodeStatus.Inactive, "Warning NodeStatus the first build creates and starts it; Start-BuildKitBuilder")]
    [InlineData(BuildKitNodeStatus.Stopped, "Warning NodeStatus the next build starts it; Start-BuildKitBuilder")]
    public async Task A_node_that_does_not_run_is_not_booted(BuildKitNodeStatus status, string expected)
    {
        var driver = new SleepingDriver(status);
        var endpoint = BuildKitEndpoint.Parse(Dead) with
        {
            Name = "sleepy",
            Boot = new BuilderBoot(driver, new BuilderNode("sleepy", Node("sleepy0", Dead), (_, _) => throw new NotSupportedException(), new DockerConfigFile { Directory = "/" })),
        };

        var checks = await _doctor.RunAsync(endpoint);

        Doctor.AssertChecks($"{expected}\nSkipped Connection the node does not run\nSkipped Clock the node does not run", checks);
        Assert.False(driver.WasBooted);
        Assert.DoesNotContain(checks, check => check.Status == BuildKitCheckStatus.Fail);
    }

    [SkippableFact]
    public async Task The_image_of_a_container_builder_is_looked_for_on_its_engine()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await SaveAsync("boxed", "docker-container", Node("boxed0", engine.Address.OriginalString) with { DriverOptions = new Dictionary<string, string> { ["image"] = engine.BaseImage } });
        var checks = await _doctor.RunAsync("boxed", Only("BuilderImage"));
        Doctor.AssertChecks($"Pass BuilderImage '{engine.BaseImage}' is on the Engine at {engine.Address.OriginalString}", checks.FindAll(check => check.Name == "BuilderImage"));

        await SaveAsync("boxed", "docker-container", Node("boxed0", engine.Address.OriginalString));
        checks = await _doctor.RunAsync("boxed", Only("BuilderImage"));
        Doctor.AssertChecks("Warning BuilderImage 'moby/buildkit:buildx-stable-1' is not on the Engine; the first build pulls it; docker pull", checks.FindAll(check => check.Name == "BuilderImage"));
    }

    [Fact]
    public async Task Credentials_are_looked_for_where_they_are_named()
    {
        var helper = StandInHelper.Create("kept.example", "me", Secret);
        var broken = StandInHelper.CreateFailing(Secret);
        _doctor.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH")!;
        _doctor.Config.WriteConfig($$"""
            {
              "auths": { "plain.example": { "auth": "{{Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"me:{Secret}"))}}" } },
              "credHelpers": { "kept.example": "{{helper}}", "broken.example": "{{broken}}", "gone.example": "no-such-program" }
            }
            """);

        var checks = await _doctor.RunAsync(Dead, request => Only("RegistryCredentials")(request) with { Registries = ["*", "https://none.example/v2/"] });

        Assert.Equal(["broken.example", "gone.example", "kept.example", "none.example", "plain.example"], checks.Select(check => check.Target).Order());
        AssertOne("broken.example", "Fail RegistryCredentials has failed; exit code 3; log in again");
        AssertOne("gone.example", "Fail RegistryCredentials no such program on the PATH; Install");
        AssertOne("kept.example", $"Pass RegistryCredentials docker-credential-{helper}; a user and a password");
        AssertOne("none.example", "Warning RegistryCredentials no credentials; docker login none.example");
        AssertOne("plain.example", "Pass RegistryCredentials config.json; a user and a password");
        Assert.DoesNotContain(checks, check => $"{check} {check.Recommendation}".Contains(Secret, StringComparison.Ordinal));

        void AssertOne(string registry, string expected) => Doctor.AssertChecks(expected, checks.FindAll(check => check.Target == registry));
    }

    [Fact]
    public async Task A_program_that_does_not_answer_has_failed_in_time()
    {
        _doctor.Config.WriteConfig($$"""{ "credHelpers": { "slow.example": "{{StandInHelper.CreateHanging()}}" } }""");
        _doctor.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH")!;
        var checks = await _doctor.RunAsync(Dead, request => Only("RegistryCredentials")(request) with { Registries = ["slow.example"], Timeout = TimeSpan.FromSeconds(1) })
            .WaitAsync(TimeSpan.FromSeconds(60));
        Doctor.AssertChecks("Fail RegistryCredentials 1 s", checks);
    }

    [Fact]
    public async Task Without_names_no_program_is_run_but_has_to_be_there()
    {
        var broken = StandInHelper.CreateFailing(Secret);
        _doctor.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH")!;
        _doctor.Config.WriteConfig($$"""{ "credHelpers": { "broken.example": "{{broken}}" } }""");
        Doctor.AssertChecks("Pass RegistryCredentials broken.example; None was asked for", await _doctor.RunAsync(Dead, Only("RegistryCredentials")));

        _doctor.Config.WriteConfig("""{ "credsStore": "no-such-program" }""");
        Doctor.AssertChecks("Fail RegistryCredentials no such program; Install", await _doctor.RunAsync(Dead, Only("RegistryCredentials")));
    }

    private BuilderStore Store => new(Path.Combine(_doctor.Config.Directory, "buildx"));

    private async Task SaveAsync(string name, string driver, params BuildKitNode[] nodes)
    {
        using var transaction = await Store.LockAsync(default);
        transaction.Save(new BuildKitBuilder { Name = name, Driver = driver, Nodes = nodes });
    }

    private static BuildKitNode Node(string name, string endpoint) => new() { Name = name, Endpoint = endpoint };

    private static Func<BuildKitDoctorRequest, BuildKitDoctorRequest> Only(string check) => request => request with { Includes = name => name == check };

    private sealed class SleepingDriver(BuildKitNodeStatus status) : BuilderDriver
    {
        public bool WasBooted { get; private set; }

        public override string Name => "sleeping";

        public override void Validate(BuildKitNode node)
        {
        }

        public override Task<BuildKitEndpoint> FindEndpointAsync(BuilderNode node, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task<BuildKitNodeStatus> GetStatusAsync(BuilderNode node, CancellationToken cancellationToken) => Task.FromResult(status);

        public override Task BootAsync(BuilderNode node, IProgress<BuilderBootEvent>? progress, CancellationToken cancellationToken)
        {
            WasBooted = true;
            return Task.CompletedTask;
        }
    }
}
