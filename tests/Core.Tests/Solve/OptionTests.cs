using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>The options of a build whose effect a step sees, on real daemons.</summary>
public sealed class OptionTests
{
    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AddHostIsInTheHostsFile(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var log = await OptionBuilds.RunAsync(engine, "cat /etc/hosts", request => request with { AddHosts = ["db:10.9.8.7", "six=[fd00::6]"] });
        Assert.Matches(@"10\.9\.8\.7\s+db", log);
        Assert.Matches(@"fd00::6\s+six", log);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task AddHostKnowsTheGatewayOfAnEngine(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var log = await OptionBuilds.RunAsync(engine, "cat /etc/hosts", request => request with { AddHosts = ["host.docker.internal:host-gateway"] });
        Assert.Matches(@"\d+\.\d+\.\d+\.\d+\s+host\.docker\.internal", log);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    public async Task AllowLetsAStepUseTheHostsNetwork(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        const string Dockerfile = "FROM ${BASE}\nARG SALT\nRUN --network=host readlink /proc/self/ns/net\n";
        var (_, log) = await OptionBuilds.BuildAsync(engine, Dockerfile, request => request with { Entitlements = ["network.host"] });
        Assert.Contains(HostNetwork, log, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<SolveFailedException>(() => OptionBuilds.BuildAsync(engine, Dockerfile));
        Assert.Equal("BuildKit.EntitlementNotAllowed", refused.ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd, "security.insecure")]
    [InlineData(EngineKind.Docker20, "security.insecure")]
    [InlineData(EngineKind.BuildkitdUnix, "security.insecure")]
    [InlineData(EngineKind.BuildkitdUnix, "network.host")]
    public async Task AllowThatTheDaemonRefusesIsExplained(EngineKind kind, string entitlement)
    {
        var engine = await TestEngines.GetAsync(kind);
        var refused = await Assert.ThrowsAsync<SolveFailedException>(() => OptionBuilds.RunAsync(engine, "true", request => request with { Entitlements = [entitlement] }));
        Assert.Equal("BuildKit.EntitlementNotAllowed", refused.ErrorId);
        Assert.Contains("daemon.json", refused.RecommendedAction, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task NetworkNoneHasNoneAndHostIsTheHosts(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        const string Command = "cat /proc/net/dev | grep -c :; readlink /proc/self/ns/net";
        var none = await OptionBuilds.RunAsync(engine, Command, request => request with { Network = "none" });
        Assert.StartsWith("1\n", none, StringComparison.Ordinal);
        Assert.DoesNotContain(HostNetwork, none, StringComparison.Ordinal);
        // A buildkitd grants it only when it was started so.
        if (!engine.IsDocker)
            return;
        Assert.Contains(HostNetwork, await OptionBuilds.RunAsync(engine, Command, request => request with { Network = "host" }), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task UlimitAndShmSizeHoldInSteps(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var log = await OptionBuilds.RunAsync(
            engine, "ulimit -Sn; ulimit -Hn; grep /dev/shm /proc/mounts", request => request with { Ulimits = ["nofile=1023:2047"], ShmSize = 33 << 20 });
        Assert.StartsWith("1023\n2047\n", log, StringComparison.Ordinal);
        Assert.Contains("size=33792k", log, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task UlimitAndShmSizeThatAnOldEngineIgnoresAreWarnedOf()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker20);
        var (result, log) = await OptionBuilds.BuildAsync(
            engine, "FROM ${BASE}\nARG SALT\nRUN ulimit -Sn\n", request => request with { Ulimits = ["nofile=1023:2047"], ShmSize = 33 << 20 });
        Assert.DoesNotContain("1023", log, StringComparison.Ordinal);
        Assert.Contains(result.Warnings, warning => warning.Short.Contains("-ShmSize, -Ulimit", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task CgroupParentHoldsTheSteps(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var usual = (await OptionBuilds.RunAsync(engine, "cat /proc/self/cgroup")).Split('\n')[0].Split(':')[2];
        Skip.If(usual == "/", "The steps' own cgroup can't be seen here: the kernel hides it in a namespace.");
        // Within the engine's own, which goes away with it.
        var parent = $"/{usual.Split('/')[1]}/options";
        var log = await OptionBuilds.RunAsync(engine, "cat /proc/self/cgroup", request => request with { CgroupParent = parent });
        Assert.Contains($":{parent}/", log, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task NoCacheFilterRunsSomeStagesAgainAndNoCacheAll(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var salt = Guid.NewGuid().ToString("N");
        var dockerfile = $"FROM ${{BASE}} AS one\nRUN echo {salt}-one > /one\nFROM ${{BASE}} AS two\nRUN echo {salt}-two > /two\nFROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n";
        await OptionBuilds.BuildAsync(engine, dockerfile);
        var (some, _) = await OptionBuilds.BuildAsync(engine, dockerfile, request => request with { NoCacheFilter = ["two"] });
        Assert.True(Step(some, "-one").Cached);
        Assert.False(Step(some, "-two").Cached);
        var (all, _) = await OptionBuilds.BuildAsync(engine, dockerfile, request => request with { NoCache = true });
        Assert.False(Step(all, "-one").Cached);
        Assert.False(Step(all, "-two").Cached);
    }

    [SkippableFact]
    public async Task PullLooksInTheRegistryForAnImageThatIsThere()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var name = $"{await OptionBuilds.RegistryAsync()}/only-here:{Guid.NewGuid():N}";
        (await engine.DockerAsync("tag", engine.BaseImage, name)).OutputOrThrow();
        await OptionBuilds.BuildAsync(engine, $"FROM {name}\nRUN true\n");
        var missing = await Assert.ThrowsAsync<SolveFailedException>(() => OptionBuilds.BuildAsync(engine, $"FROM {name}\nRUN true\n", request => request with { Pull = true }));
        Assert.Equal("BuildKit.BaseImageNotFound", missing.ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task TargetAndBuildArgChooseWhatIsBuilt(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        const string Dockerfile = "FROM ${BASE} AS one\nARG WORD SALT\nRUN echo one $WORD\nFROM one AS two\nRUN echo two\n";
        var (_, log) = await OptionBuilds.BuildAsync(engine, Dockerfile.Replace("ARG WORD SALT", "ARG WORD\nARG SALT", StringComparison.Ordinal), request => request.WithArgs(("WORD", "hello")) with { Target = "one" });
        Assert.Equal("one hello\n", log);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task PlatformThatTheBuilderCannotRunIsNamedWhenAStepNeedsIt(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("sh", "no program").Write("Dockerfile", "FROM scratch\nCOPY --chmod=755 sh /bin/sh\nRUN true\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(context.At("sh"), (UnixFileMode)0b111_101_101);
        var failure = await Assert.ThrowsAsync<SolveFailedException>(() => OptionBuilds.BuildAsync(engine, "", request => request with
        {
            DockerfileText = null,
            Context = context.Path,
            Dockerfile = context.At("Dockerfile"),
            Platforms = ["s390x"],
        }));
        Assert.Equal("BuildKit.PlatformNotEmulated", failure.ErrorId);
        Assert.Contains("tonistiigi/binfmt", failure.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("exec format error", failure.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("DENY", "docker-image://*")]
    [InlineData("CONVERT", "docker-image://example.invalid/nothing:1")]
    public async Task SourcePolicyDeniesAndConverts(string action, string identifier)
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        using var folder = new BuildContextDirectory().Write("policy.json", $$"""
            { "rules": [ { "action": "{{action}}", "selector": { "identifier": "{{identifier}}" },
              "updates": { "identifier": "docker-image://{{engine.BaseImage}}" } } ] }
            """);
        SolveRequest WithPolicy(SolveRequest request) => request with { SourcePolicyFile = folder.At("policy.json") };
        if (action == "DENY")
        {
            var denied = await Assert.ThrowsAsync<SolveFailedException>(() => OptionBuilds.RunAsync(engine, "true", WithPolicy));
            Assert.Contains("denied by policy", denied.Message, StringComparison.Ordinal);
        }
        else
            Assert.Contains("converted", (await OptionBuilds.BuildAsync(engine, "FROM example.invalid/nothing:1\nARG SALT\nRUN echo converted\n", WithPolicy)).Log, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task FrontendImageGetsTheOptions(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var image = await OptionBuilds.PushAsync(
            "frontend", "FROM ${BASE}\nENTRYPOINT [\"/bin/sh\", \"-c\", \"env | grep -E 'cmdline|color|target' >&2; exit 3\"]\n");
        await using var connection = await BuildKit.Builders.BuildKitConnection.ConnectAsync(BuildKit.Builders.BuildKitEndpoint.Parse(engine.Address.ToString()));
        var color = Guid.NewGuid().ToString("N");
        var request = new SolveRequest
        {
            DockerfileText = "anything",
            Frontend = image,
            Target = color,
            FrontendOptions = new Dictionary<string, string> { ["color"] = color },
        };
        var failure = await Assert.ThrowsAsync<SolveFailedException>(() => SolveOperation.RunAsync(connection, request, null, default).WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Contains("exit code: 3", failure.Message, StringComparison.Ordinal);
        // What a frontend prints goes to the daemon's own log.
        var log = await File.ReadAllTextAsync(engine.LogPath);
        Assert.Contains($"=cmdline={image}", log, StringComparison.Ordinal);
        Assert.Contains($"=color={color}", log, StringComparison.Ordinal);
        Assert.Contains($"=target={color}", log, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task FrontendOptionReachesTheFrontend(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var log = await OptionBuilds.RunAsync(engine, "hostname", request => request with { FrontendOptions = new Dictionary<string, string> { ["hostname"] = "by-option" } });
        Assert.Equal("by-option\n", log);
    }

    private static string HostNetwork => File.ResolveLinkTarget("/proc/self/ns/net", returnFinalTarget: false)?.Name ?? "";

    private static SolveStep Step(BuildKitSolveResult result, string text) =>
        result.Steps.Single(step => step.Name.Contains("RUN", StringComparison.Ordinal) && step.Name.Contains(text, StringComparison.Ordinal));
}
