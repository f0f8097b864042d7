using BuildKit.Docker;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;
using Xunit;

namespace BuildKit.Tests.Solve.Planning;

public sealed class FrontendOptionsTests
{
    private static Dictionary<string, string> Pair(string name, string value) => new() { [name] = value };

    [Theory]
    [InlineData("db:10.0.0.2", "db=10.0.0.2")]
    [InlineData("db=10.0.0.2", "db=10.0.0.2")]
    [InlineData("db:fd00::2", "db=fd00::2")]
    [InlineData("db=[fd00::2]", "db=fd00::2")]
    [InlineData("db:[10.0.0.2]", "db=10.0.0.2")]
    [InlineData("a:b=10.0.0.2", "a:b=10.0.0.2")]
    [InlineData("db=10.0.0.2,fd00::2", "db=10.0.0.2,db=fd00::2")]
    [InlineData("db:10.0.0.2,web:10.0.0.3", "db=10.0.0.2,web=10.0.0.3")]
    public async Task AddHostBecomesPairs(string written, string onTheWire) =>
        Assert.Equal(onTheWire, await (Plans.Request with { AddHosts = [written] }).AttributeAsync("add-hosts"));

    [Theory]
    [InlineData("db")]
    [InlineData("db:")]
    [InlineData(":10.0.0.2")]
    [InlineData("db:10.0.0")]
    [InlineData("db:010.0.0.2")]
    [InlineData("db:fe80::1%eth0")]
    [InlineData("db:elsewhere")]
    [InlineData("d b:10.0.0.2")]
    [InlineData("10.0.0.2")]
    [InlineData("db:10.0.0.2,")]
    public Task AddHostThatIsNoneIsRefused(string written) => (Plans.Request with { AddHosts = [written] }).RefusesAsync("BuildKit.InvalidHost");

    [Fact]
    public async Task AddHostAsksTheWorkerForItsGateway()
    {
        var request = Plans.Request with { AddHosts = ["gate:host-gateway"] };
        var engine = Plans.Daemon(DaemonStore.EngineContainerd) with { Workers = [Plans.Worker("v0.25.2", "172.17.0.1")] };
        Assert.Equal("gate=172.17.0.1", await request.AttributeAsync("add-hosts", engine));
        await request.RefusesAsync("BuildKit.HostGatewayUnknown");
        await request.RefusesAsync("BuildKit.HostGatewayUnknown", Plans.OldEngine);
    }

    [Fact]
    public async Task UlimitsAreSortedAndTheLastOfANameCounts() => Assert.Equal(
        "memlock=-1:-1,nofile=5:6",
        await (Plans.Request with { Ulimits = ["nofile=1024", "memlock=-1", "nofile=5:6"] }).AttributeAsync("ulimit"));

    [Theory]
    [InlineData("nofile")]
    [InlineData("as=1")]
    [InlineData("nofile=x")]
    [InlineData("nofile=1:2:3")]
    [InlineData("nofile=2:1")]
    [InlineData("nofile=-1:1")]
    [InlineData("nofile=")]
    public Task UlimitThatIsNoneIsRefused(string written) => (Plans.Request with { Ulimits = [written] }).RefusesAsync("BuildKit.InvalidUlimit");

    [Theory]
    [InlineData(1048576L, "1048576")]
    [InlineData(0L, null)]
    public async Task ShmSizeIsInBytes(long size, string? onTheWire) => Assert.Equal(onTheWire, await (Plans.Request with { ShmSize = size }).AttributeAsync("shm-size"));

    [Fact]
    public Task ShmSizeBelowZeroIsRefused() => (Plans.Request with { ShmSize = -1 }).RefusesAsync("BuildKit.InvalidSize");

    [Fact]
    public async Task NetworkHostIsAnEntitlementToo()
    {
        await using var host = await (Plans.Request with { Network = "host", Entitlements = ["network.host"] }).PlanAsync();
        Assert.Equal("host", host.FrontendAttributes["force-network-mode"]);
        Assert.Equal(["network.host"], host.Entitlements);
        await using var none = await (Plans.Request with { Network = "none" }).PlanAsync();
        Assert.Equal("none", none.FrontendAttributes["force-network-mode"]);
        Assert.Empty(none.Entitlements);
        Assert.Null(await (Plans.Request with { Network = "default" }).AttributeAsync("force-network-mode"));
        await (Plans.Request with { Network = "my-net" }).RefusesAsync("BuildKit.NetworkNotSupported");
    }

    [Theory]
    [InlineData("network.host")]
    [InlineData("security.insecure")]
    [InlineData("device")]
    [InlineData("device=vendor.com/gpu=0")]
    [InlineData("device=vendor.com/gpu=0,alias=gpu")]
    public async Task AllowGoesOutAsItIs(string entitlement)
    {
        await using var plan = await (Plans.Request with { Entitlements = [entitlement] }).PlanAsync();
        Assert.Equal([entitlement], plan.Entitlements);
    }

    [Theory]
    [InlineData("everything")]
    [InlineData("network.host=1")]
    [InlineData("device=gpu,name=x")]
    [InlineData("alias=gpu")]
    public Task AllowOfSomethingElseIsRefused(string entitlement) => (Plans.Request with { Entitlements = [entitlement] }).RefusesAsync("BuildKit.InvalidEntitlement");

    [Fact]
    public async Task NoCacheIsForAllOrForSomeStages()
    {
        Assert.Equal("", await (Plans.Request with { NoCache = true }).AttributeAsync("no-cache"));
        Assert.Equal("a,b", await (Plans.Request with { NoCacheFilter = ["a", "b"] }).AttributeAsync("no-cache"));
        Assert.Null(await Plans.Request.AttributeAsync("no-cache"));
        await (Plans.Request with { NoCache = true, NoCacheFilter = ["a"] }).RefusesAsync("BuildKit.NoCacheConflict");
    }

    [Theory]
    [InlineData(DaemonStore.Buildkitd, false, null)]
    [InlineData(DaemonStore.EngineContainerd, false, "local")]
    [InlineData(DaemonStore.EngineContainerd, true, "pull")]
    [InlineData(DaemonStore.Buildkitd, true, "pull")]
    internal async Task PullResolvesInTheRegistry(DaemonStore store, bool pull, string? mode) =>
        Assert.Equal(mode, await (Plans.Request with { Pull = pull }).AttributeAsync("image-resolve-mode", Plans.Daemon(store)));

    [Fact]
    public async Task ProxiesOfTheConfigAreBuildArgumentsUnlessGiven()
    {
        var daemon = Plans.Daemon() with
        {
            Address = "unix:///one.sock",
            Config = new DockerConfigFile
            {
                Directory = "",
                Proxies = new Dictionary<string, DockerProxyConfig>
                {
                    ["unix:///one.sock"] = new() { HttpProxy = "http://u:p@one", NoProxy = "local" },
                    ["default"] = new() { HttpProxy = "http://all", FtpProxy = "http://ftp" },
                },
            },
        };
        Assert.Equal("http://u:p@one", await Plans.Request.AttributeAsync("build-arg:HTTP_PROXY", daemon));
        Assert.Equal("local", await Plans.Request.AttributeAsync("build-arg:NO_PROXY", daemon));
        Assert.Null(await Plans.Request.AttributeAsync("build-arg:FTP_PROXY", daemon));
        Assert.Equal("http://ftp", await Plans.Request.AttributeAsync("build-arg:FTP_PROXY", daemon with { Address = "tcp://other" }));
        Assert.Equal("mine", await (Plans.Request with { BuildArgs = Pair("HTTP_PROXY", "mine") }).AttributeAsync("build-arg:HTTP_PROXY", daemon));
        Assert.Null(await (Plans.Request with { BuildArgs = Pair("http_proxy", "mine") }).AttributeAsync("build-arg:HTTP_PROXY", daemon));
    }

    [Fact]
    public async Task SourceDateEpochComesFromTheRequestTheArgumentOrTheVariable()
    {
        const string Attribute = "build-arg:SOURCE_DATE_EPOCH";
        var daemon = Plans.Daemon(DaemonStore.Buildkitd, ("SOURCE_DATE_EPOCH", "3"));
        var argument = Plans.Request with { BuildArgs = Pair("SOURCE_DATE_EPOCH", "2") };
        Assert.Equal("3", await Plans.Request.AttributeAsync(Attribute, daemon));
        Assert.Equal("2", await argument.AttributeAsync(Attribute, daemon));
        Assert.Equal("1", await (argument with { SourceDateEpoch = "1" }).AttributeAsync(Attribute, daemon));
        Assert.Null(await Plans.Request.AttributeAsync(Attribute));
        await (Plans.Request with { SourceDateEpoch = "yesterday" }).RefusesAsync("BuildKit.InvalidSourceDateEpoch");
        await Plans.Request.RefusesAsync("BuildKit.InvalidSourceDateEpoch", Plans.Daemon(DaemonStore.Buildkitd, ("SOURCE_DATE_EPOCH", "1.5")));
    }

    [Fact]
    public async Task BuildArgsWithAMeaningOfTheirOwnHaveIt()
    {
        await using var syntax = await (Plans.Request with { BuildArgs = Pair("BUILDKIT_SYNTAX", "docker/dockerfile:1 --x y") }).PlanAsync();
        Assert.Equal(("gateway.v0", "docker/dockerfile:1", "docker/dockerfile:1 --x y"),
            (syntax.Frontend, syntax.FrontendAttributes["source"], syntax.FrontendAttributes["cmdline"]));
        Assert.Equal("true", await (Plans.Request with { BuildArgs = Pair("BUILDKIT_MULTI_PLATFORM", "1") }).AttributeAsync("multi-platform"));
        Assert.Null(await (Plans.Request with { BuildArgs = Pair("BUILDKIT_MULTI_PLATFORM", "0") }).AttributeAsync("multi-platform"));

        var output = new BuildKit.Solve.SolveOutput { Type = "oci", Destination = "/nowhere/x.tar" };
        await using var inline = await (Plans.Request with
        {
            Outputs = [output],
            BuildArgs = new Dictionary<string, string> { ["BUILDKIT_INLINE_CACHE"] = "1", ["BUILDKIT_INLINE_BUILDINFO_ATTRS"] = "1" },
        }).PlanAsync();
        Assert.Equal("inline", Assert.Single(inline.CacheExports).Type);
        Assert.Equal("1", inline.Exports[0].Attributes["buildinfo-attrs"]);
        Assert.Equal("1", inline.FrontendAttributes["build-arg:BUILDKIT_INLINE_CACHE"]);
    }

    [Fact]
    public async Task FrontendIsAnImageOrOneOfTheDaemonsOwn()
    {
        var syntax = Pair("BUILDKIT_SYNTAX", "other");
        await using var image = await (Plans.Request with { Frontend = "example.com/front:1", BuildArgs = syntax }).PlanAsync();
        Assert.Equal(("gateway.v0", "example.com/front:1", "example.com/front:1"), (image.Frontend, image.FrontendAttributes["source"], image.FrontendAttributes["cmdline"]));
        await using var own = await (Plans.Request with { Frontend = "dockerfile.v0", BuildArgs = syntax }).PlanAsync();
        Assert.Equal("dockerfile.v0", own.Frontend);
        await using var gateway = await (Plans.Request with { Frontend = "gateway.v0", FrontendOptions = Pair("source", "x") }).PlanAsync();
        Assert.Equal(("gateway.v0", "x"), (gateway.Frontend, gateway.FrontendAttributes["source"]));
        await (Plans.Request with { Frontend = "gateway.v0" }).RefusesAsync("BuildKit.FrontendNeedsSource");
    }

    [Fact]
    public async Task FrontendOptionWins() =>
        Assert.Equal("x", await (Plans.Request with { Target = "a", FrontendOptions = Pair("target", "x") }).AttributeAsync("target"));

    [Fact]
    public async Task AnOldDaemonThatIgnoresAnOptionIsWarnedOf()
    {
        var request = Plans.Request with { Ulimits = ["nofile=1"], ShmSize = 1, NoCacheFilter = ["a"] };
        await using var plan = await request.PlanAsync(Plans.OldEngine);
        Assert.EndsWith("may ignore -ShmSize, -Ulimit.", Assert.Single(plan.Warnings), StringComparison.Ordinal);
        await using var present = await request.PlanAsync();
        Assert.Empty(present.Warnings);
    }
}
