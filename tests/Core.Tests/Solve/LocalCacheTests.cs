using System.Net;
using System.Net.Sockets;
using BuildKit.Oci;
using BuildKit.Solve;
using BuildKit.Solve.Planning;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Caches in local directories.</summary>
public sealed class LocalCacheTests
{
    private static SolveCache Cache(params (string Key, string Value)[] attributes) =>
        new() { Type = "local", Attributes = attributes.ToDictionary(attribute => attribute.Key, attribute => attribute.Value) };

    private static SolveRequest Request(TestEngine engine, string unique) => new()
    {
        DockerfileText = $"FROM {engine.BaseImage} AS build\nRUN echo {unique} > /made\nFROM scratch\nCOPY --from=build /made /\n",
        Outputs = [new SolveOutput { Type = "cacheonly" }],
    };

    private static bool IsCached(BuildKitSolveResult result) => result.Steps.Single(step => step.Name.Contains("RUN echo", StringComparison.Ordinal)).Cached;

    private static async Task PruneAsync(TestEngine engine)
    {
        if (engine.IsDocker)
            (await engine.DockerAsync("buildx", "prune", "--all", "--force")).OutputOrThrow();
        else
            (await CommandResult.RunAsync(await TestEngines.GetProgramAsync("buildctl"), ["--addr", engine.Address.OriginalString, "prune", "--all"])).OutputOrThrow();
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task ABuilderThatForgotEverythingFindsItInTheCache(EngineKind kind)
    {
        await using var engine = await TestEngines.StartPrivateAsync(kind);
        using var directory = new BuildContextDirectory();
        var unique = Guid.NewGuid().ToString();
        // A daemon asks for the directory in a header, which holds ASCII only.
        var cache = directory.At("ein Cäche/.");
        var request = Request(engine, unique) with { CacheFrom = [Cache(("src", cache))], CacheTo = [Cache(("dest", cache), ("mode", "max"), ("tag", "mine"))] };

        var first = await EngineConnection.SolveAsync(engine, request);
        Assert.Contains(first.Warnings, warning => warning.Short.Contains("goes on without", StringComparison.Ordinal));
        Assert.False(IsCached(first));
        Assert.Equal(["blobs", "index.json", "oci-layout"], Directory.EnumerateFileSystemEntries(cache).Select(Path.GetFileName).Order());

        await PruneAsync(engine);
        var second = await EngineConnection.SolveAsync(engine, request with { CacheFrom = [Cache(("src", cache), ("tag", "mine"))] });
        Assert.True(IsCached(second));
        Assert.DoesNotContain(second.Warnings, warning => warning.Short.Contains("cache", StringComparison.Ordinal));

        await PruneAsync(engine);
        Assert.False(IsCached(await EngineConnection.SolveAsync(engine, Request(engine, unique))));
    }

    [SkippableFact]
    public async Task BuildxReadsOurCacheAndWeReadIts()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.Docker28Containerd);
        await TestEngines.GetProgramAsync("buildx");
        using var directory = new BuildContextDirectory();
        var unique = Guid.NewGuid().ToString();
        var request = Request(engine, unique);
        directory.Write("context/Dockerfile", request.DockerfileText!);
        string[] buildx = ["buildx", "build", "--progress", "plain", "--output", "type=cacheonly", directory.At("context")];

        (await engine.DockerAsync([.. buildx, "--cache-to", $"type=local,mode=max,dest={directory.At("theirs")}"])).OutputOrThrow();
        await PruneAsync(engine);
        var ours = request with { CacheFrom = [Cache(("src", directory.At("theirs")))], CacheTo = [Cache(("dest", directory.At("ours/deep")), ("mode", "max"))] };
        Assert.True(IsCached(await EngineConnection.SolveAsync(engine, ours)));

        await PruneAsync(engine);
        var read = await engine.DockerAsync([.. buildx, "--cache-from", $"type=local,src={directory.At("ours/deep")}"]);
        read.OutputOrThrow();
        Assert.Contains("CACHED", read.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AnEngineWithTheClassicStoreReadsACacheToo()
    {
        var writer = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        var reader = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var directory = new BuildContextDirectory().Write("context/f", Guid.NewGuid().ToString());
        var request = new SolveRequest
        {
            Context = directory.At("context"),
            DockerfileText = "FROM scratch\nCOPY f /f\n",
            Outputs = [new SolveOutput { Type = "cacheonly" }],
        };
        await EngineConnection.SolveAsync(writer, request with { CacheTo = [Cache(("dest", directory.At("cache/.")), ("mode", "max"))] });
        var read = await EngineConnection.SolveAsync(reader, request with { CacheFrom = [Cache(("src", directory.At("cache/.")))] });
        Assert.True(read.Steps.Single(step => step.Name.Contains("COPY", StringComparison.Ordinal)).Cached);
    }

    [SkippableFact]
    public async Task SeveralCachesEachGetTheirOwnRoot()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdUnix);
        using var directory = new BuildContextDirectory();
        var request = Request(engine, Guid.NewGuid().ToString());
        await EngineConnection.SolveAsync(engine, request with { CacheTo = [Cache(("dest", directory.At("max")), ("mode", "max")), Cache(("dest", directory.At("min")))] });
        var roots = new List<OciDigest>();
        foreach (var name in new[] { "max", "min" })
        {
            await PruneAsync(engine);
            Assert.True(IsCached(await EngineConnection.SolveAsync(engine, request with { CacheFrom = [Cache(("src", directory.At(name)))] })), name);
            var layout = new OciLayout(directory.At(name));
            roots.Add(layout.ReadIndex().Manifests.Single().Digest);
            Assert.True(File.Exists(layout.BlobPath(roots[^1])));
        }
        // The daemon's answer tells of one cache only.
        Assert.Equal(2, roots.Distinct().Count());
    }

    [SkippableFact]
    public async Task ABuildThatFailsLeavesTheCacheAsItWas()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        using var directory = new BuildContextDirectory();
        // A cache in a registry that hangs up as soon as something of the local one has been written.
        using var registry = new TcpListener(IPAddress.Loopback, 0);
        registry.Start();
        var written = false;
        var serving = HangUpAsync();
        var broken = new SolveCache { Type = "registry", Attributes = new Dictionary<string, string> { ["ref"] = $"{registry.LocalEndpoint}/nobody/serves:1" } };

        await EngineConnection.FailAsync(engine, Request(engine, Guid.NewGuid().ToString()) with { CacheTo = [Cache(("dest", directory.At("cache/deep"))), broken] });

        registry.Stop();
        await serving;
        Assert.True(written);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.At("cache/.")));

        async Task HangUpAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await registry.AcceptTcpClientAsync();
                    await Poll.UntilAsync(() => written |= Directory.EnumerateFiles(directory.Path, "*", SearchOption.AllDirectories).Any(path => Path.GetFileName(path).Length == 64));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }
        }
    }

    [Fact]
    public void WhatCantBeIsRefusedAndWhatIsMissingWarnedOf()
    {
        using var directory = new BuildContextDirectory().Write("file", "");
        Assert.Equal("BuildKit.InvalidCache", Assert.Throws<BuildKitException>(() => LocalCaches.AddImport(new SolvePlan(), Cache())).ErrorId);
        Assert.Equal("BuildKit.InvalidCache", Assert.Throws<BuildKitException>(() => LocalCaches.AddExport(new SolvePlan(), Cache(("dest", "relative")))).ErrorId);
        Assert.Equal("BuildKit.OciLayoutInvalid", Assert.Throws<BuildKitException>(() => LocalCaches.AddExport(new SolvePlan(), Cache(("dest", directory.At("file"))))).ErrorId);
        Assert.Equal("BuildKit.InvalidCache", Assert.Throws<BuildKitException>(() => LocalCaches.AddImport(new SolvePlan(), Cache(("src", directory.Path), ("digest", "x")))).ErrorId);

        foreach (var source in new[] { directory.At("nope"), directory.At("file"), directory.Path })
        {
            var plan = new SolvePlan();
            LocalCaches.AddImport(plan, Cache(("src", source)));
            Assert.Empty(plan.CacheImports);
            Assert.Empty(plan.Services);
            Assert.Contains(source, Assert.Single(plan.Warnings), StringComparison.Ordinal);
        }
    }
}
