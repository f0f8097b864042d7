using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Build contexts with names.</summary>
public sealed class NamedContextTests
{
    private const string CopyAll = "FROM scratch\nCOPY --from=extra . /\n";

    private static Dictionary<string, string> Named(params (string Name, string Context)[] contexts) => contexts.ToDictionary(context => context.Name, context => context.Context);

    private static SolveRequest Request(string dockerfile, params (string Name, string Context)[] contexts) =>
        new() { DockerfileText = dockerfile, BuildContexts = Named(contexts) };

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task ADirectoryIsCopiedFromWithItsOwnIgnoreFile(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var extra = new BuildContextDirectory().Write("kept", "1").Write("left.log", "2").Write(".dockerignore", "*.log\n");
        using var context = new BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY --from=extra . /\nCOPY --from=context only /named\nCOPY --from=dockerfile only /other\nCOPY main /\n")
            .Write("main", "main");
        using var reserved = new BuildContextDirectory().Write("only", "reserved");
        var request = new SolveRequest
        {
            Context = context.Path,
            BuildContexts = Named(("Extra".ToLowerInvariant(), extra.Path), ("context", reserved.Path), ("dockerfile", reserved.Path)),
        };

        var files = await EngineConnection.FilesAsync(engine, request);

        Assert.Equal(
            new Dictionary<string, string> { [".dockerignore"] = "*.log\n", ["kept"] = "1", ["main"] = "main", ["named"] = "reserved", ["other"] = "reserved" }.OrderBy(pair => pair.Key),
            files.OrderBy(pair => pair.Key));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AnImageAndAStageAreReplaced(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var stage = new BuildContextDirectory().Write("result", "from outside");
        var request = Request(
            "FROM example.test/nowhere:1.0 AS base\nRUN busybox echo -n ran > /ran\nFROM base AS build\nRUN false\nFROM scratch\nCOPY --from=base /ran /\nCOPY --from=build /result /\n",
            ("example.test/nowhere:1.0", $"docker-image://{engine.BaseImage}"), ("build", stage.Path));
        Assert.Equal(new Dictionary<string, string> { ["ran"] = "ran", ["result"] = "from outside" }, await EngineConnection.FilesAsync(engine, request));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AnOciLayoutIsABase(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var writer = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        await TestEngines.GetProgramAsync("buildx");
        using var context = new BuildContextDirectory();
        var unique = Guid.NewGuid().ToString();
        foreach (var tag in new[] { "1", "2" })
        {
            context.Write("Dockerfile", $"FROM {writer.BaseImage}\nRUN echo -n {unique}-{tag} > /made\n");
            (await writer.DockerAsync("buildx", "build", "--output", $"type=oci,tar=false,dest={context.At("by buildx/.")}", "-t", $"example.test/made:{tag}", context.Path)).OutputOrThrow();
        }
        await Skopeo.RunAsync("copy", $"oci:{context.At("by buildx")}:1", $"oci:{context.At("skopeo/.")}");
        var digest = await Skopeo.RunAsync("inspect", "--format", "{{.Digest}}", $"oci:{context.At("by buildx")}:2");

        Assert.Equal($"{unique}-1", await MadeAsync($"{context.At("by buildx")}:1"));
        Assert.Equal($"{unique}-2", await MadeAsync($"{context.At("by buildx")}:2"));
        Assert.Equal($"{unique}-2", await MadeAsync($"{context.At("by buildx")}@{digest}"));
        Assert.Equal($"{unique}-2", await MadeAsync($"{context.At("by buildx")}:whatever@{digest}"));
        Assert.Equal($"{unique}-1", await MadeAsync(context.At("skopeo")));

        async Task<string> MadeAsync(string layout) => (await EngineConnection.FilesAsync(
            engine, Request("FROM made AS base\nRUN cp /made /copied\nFROM scratch\nCOPY --from=base /copied /\n", ("made", $"oci-layout://{layout}"))))["copied"];
    }

    [SkippableFact]
    public async Task WhichImageOfALayoutIsMeantIsAsked()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        using var layout = new BuildContextDirectory();
        var output = new SolveOutput { Type = "oci", Destination = layout.Path, Attributes = new Dictionary<string, string> { ["tar"] = "false" } };
        await EngineConnection.SolveAsync(engine, new SolveRequest { DockerfileText = "FROM scratch\nLABEL a=1", Outputs = [output], Tags = ["a:1"] });
        var only = await EngineConnection.SolveAsync(engine, Request(CopyAll, ("extra", $"oci-layout://{layout.Path}:9")) with { Outputs = [new SolveOutput { Type = "cacheonly" }] });
        Assert.Contains(only.Warnings, warning => warning.Short.Contains("docker.io/library/a:1", StringComparison.Ordinal));

        await EngineConnection.SolveAsync(engine, new SolveRequest { DockerfileText = "FROM scratch\nLABEL a=2", Outputs = [output], Tags = ["a:2"] });
        var several = Fails(Request(CopyAll, ("extra", $"oci-layout://{layout.Path}:9")));
        Assert.Equal("BuildKit.OciImageNotFound", several.ErrorId);
        Assert.Contains("docker.io/library/a:1, docker.io/library/a:2", several.Message, StringComparison.Ordinal);

        foreach (var blob in Directory.EnumerateFiles(layout.At("blobs/sha256")))
        {
            if (new FileInfo(blob).Length > 600)
                continue;
            File.Delete(blob);
        }
        var missing = await EngineConnection.FailAsync(engine, Request(CopyAll, ("extra", $"oci-layout://{layout.Path}:2")));
        Assert.Equal("BuildKit.OciBlobNotFound", missing.ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AddressesAreFetchedByTheDaemon(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var server = new GitServer();

        var named = await EngineConnection.FilesAsync(engine, Request(CopyAll, ("extra", $"{server.Address}#v1:sub")));
        Assert.Equal(new Dictionary<string, string> { ["file"] = "one" }, named);
        var queried = await EngineConnection.FilesAsync(engine, Request(CopyAll, ("extra", $"{server.Address}?branch=main&subdir=sub")));
        Assert.Equal(new Dictionary<string, string> { ["file"] = "two" }, queried);
        var context = await EngineConnection.FilesAsync(engine, new SolveRequest { Context = $"{server.Address}?tag=v1&subdir=sub", DockerfileText = "FROM scratch\nCOPY . /\n" });
        Assert.Equal(new Dictionary<string, string> { ["file"] = "one" }, context);
    }

    [SkippableFact]
    public async Task AWebAddressMayBeTheDockerfile()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var server = new LoopbackHttp(request => request.Path == "/missing" ? (404, "") : (200, "FROM scratch\nCOPY file /\n"));
        using var context = new BuildContextDirectory().Write("file", "text");
        var request = new SolveRequest { Context = context.Path, Dockerfile = $"{server.Address}some/Dockerfile" };
        Assert.Equal(new Dictionary<string, string> { ["file"] = "text" }, await EngineConnection.FilesAsync(engine, request));
        var failure = await EngineConnection.FailAsync(engine, new SolveRequest { Dockerfile = $"{server.Address}missing?token=hidden" });
        Assert.Equal("BuildKit.DockerfileNotFound", failure.ErrorId);
        Assert.Contains("404", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", failure.ToString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AnEngineThatKnowsNoNamesSaysSo()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker20);
        using var extra = new BuildContextDirectory();
        Assert.Equal("BuildKit.BuildContextsNotSupported", (await EngineConnection.FailAsync(engine, Request(CopyAll, ("extra", extra.Path)))).ErrorId);
        Assert.Equal(
            "BuildKit.FrontendCapabilityMissing",
            (await EngineConnection.FailAsync(engine, new SolveRequest { Context = "git://127.0.0.1:9/x.git?branch=main" })).ErrorId);
    }

    [Theory]
    [InlineData("base", "base")]
    [InlineData("base:latest", "base")]
    [InlineData("docker.io/library/alpine:3.20", "alpine:3.20")]
    [InlineData("docker.io/team/app", "team/app")]
    [InlineData("localhost:5000/a:1", "localhost:5000/a:1")]
    [InlineData("alpine@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "alpine@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void NamesAreThoseOfImages(string given, string name) => Assert.Equal(name, NamedContexts.NormalizeName(given));

    [Fact]
    public void WhatCantBeIsRefused()
    {
        using var directory = new BuildContextDirectory().Write("file", "");
        Assert.Equal("BuildKit.InvalidBuildContext", Fails(Request(CopyAll, ("Upper", directory.Path))).ErrorId);
        Assert.Equal("BuildKit.InvalidBuildContext", Fails(Request(CopyAll, ("", directory.Path))).ErrorId);
        Assert.Equal("BuildKit.InvalidBuildContext", Fails(Request(CopyAll, ("extra", directory.At("file")))).ErrorId);
        Assert.Equal("BuildKit.InvalidBuildContext", Fails(Request(CopyAll, ("extra", "target:other"))).ErrorId);
        Assert.Equal("BuildKit.InvalidBuildContext", Fails(Request(CopyAll, ("extra", directory.Path), ("extra:latest", directory.Path))).ErrorId);
        Assert.Equal("BuildKit.ContextNotFound", Fails(Request(CopyAll, ("extra", directory.At("nope")))).ErrorId);
        Assert.Equal("BuildKit.ContextNotFound", Fails(Request(CopyAll, ("extra", "relative"))).ErrorId);
        Assert.Equal("BuildKit.OciLayoutNotFound", Fails(Request(CopyAll, ("extra", $"oci-layout://{directory.At("nope")}"))).ErrorId);
        Assert.Equal("BuildKit.OciLayoutInvalid", Fails(Request(CopyAll, ("extra", $"oci-layout://{directory.At("file")}"))).ErrorId);
        Assert.Equal("BuildKit.OciLayoutInvalid", Fails(Request(CopyAll, ("extra", $"oci-layout://{directory.Path}"))).ErrorId);
        Assert.Equal("BuildKit.OciLayoutNotSupported", Fails(Request(CopyAll, ("extra", $"oci-layout://{directory.Path}")), DaemonStore.EngineGraphdriver).ErrorId);
    }

    [Theory]
    [InlineData("https://example.test/repo.git?branch=x#y", true)]
    [InlineData("git@example.test:repo.git?branch=x", true)]
    [InlineData("ssh://example.test/repo?branch=x", true)]
    [InlineData("https://example.test/repo.git#branch?x", false)]
    [InlineData("https://example.test/context.tar.gz?token=x", false)]
    [InlineData("https://example.test/repo.git?", false)]
    public void OnlyAQueryForGitNeedsACapability(string address, bool isNeeded)
    {
        var plan = new SolvePlan();
        FrontendCaps.AddForGit(plan, address, isNamed: false);
        NamedContexts.AddTo(plan, Request(CopyAll, ("extra", address)), new SolveDaemon(DaemonStore.Buildkitd));
        var expected = "moby.buildkit.frontend.contexts+forward" + (isNeeded ? ",moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.gitquerystring+forward" : "");
        Assert.Equal(expected, plan.FrontendAttributes["frontend.caps"]);
        Assert.Equal(address, plan.FrontendAttributes["context:extra"]);
    }

    private static BuildKitException Fails(SolveRequest request, DaemonStore store = DaemonStore.Buildkitd) =>
        Assert.Throws<BuildKitException>(() => NamedContexts.AddTo(new SolvePlan(), request, new SolveDaemon(store)));
}
