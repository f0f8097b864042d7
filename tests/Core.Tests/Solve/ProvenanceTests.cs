using System.Text;
using System.Text.Json;
using BuildKit.Builders;
using BuildKit.Solve;
using BuildKit.Solve.Provenance;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class ProvenanceTests
{
    private static SolveRequest Request(BuildContextDirectory context, TestEngine engine) => new()
    {
        Context = context.Path,
        DockerfileText = $"FROM {engine.BaseImage} AS base\nARG WHO\nRUN --mount=type=secret,id=pass echo $WHO > /who\nFROM scratch\nCOPY --from=base /who /who\nCOPY file /file\n",
        BuildArgs = new Dictionary<string, string> { ["WHO"] = "me" },
        Outputs = [new SolveOutput { Type = "cacheonly" }],
    };

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, false)]
    [InlineData(EngineKind.Docker28Containerd, true)]
    [InlineData(EngineKind.Docker26, false)]
    [InlineData(EngineKind.BuildkitdUnix, false)]
    [InlineData(EngineKind.BuildkitdUnix, true)]
    public async Task EveryBuildSaysWhereItCameFrom(EngineKind kind, bool slsa1)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("file", "x");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var request = Request(context, engine);
        request = request with
        {
            BuildArgs = new Dictionary<string, string>(request.BuildArgs) { ["BUILDKIT_HISTORY_PROVENANCE_V1"] = slsa1 ? "1" : "0" },
            FrontendOptions = new Dictionary<string, string> { ["vcs:revision"] = "0123" },
        };
        var before = DateTimeOffset.UtcNow.AddMinutes(-1);

        var result = await SolveOperation.RunAsync(connection, request, null, default);

        var provenance = Assert.Single(result.Provenance);
        Assert.Null(provenance.Platform);
        Assert.Equal("https://slsa.dev/provenance/" + (slsa1 ? "v1" : "v0.2"), provenance.PredicateType);
        Assert.Equal(slsa1 ? "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md" : "https://mobyproject.org/buildkit@v1", provenance.BuildType);
        Assert.StartsWith("linux/", provenance.BuilderPlatform, StringComparison.Ordinal);
        var material = Assert.Single(provenance.Materials);
        Assert.StartsWith("pkg:docker/", material.Uri, StringComparison.Ordinal);
        Assert.Matches("^sha256:[0-9a-f]{64}$", material.Digest);
        Assert.Equal("Dockerfile", provenance.ConfigSource.EntryPoint);
        Assert.Equal("dockerfile.v0", provenance.Parameters.Frontend);
        Assert.Equal("me", provenance.Parameters.Args["build-arg:WHO"]);
        Assert.Equal(["context", "dockerfile"], provenance.Parameters.Locals.Order());
        Assert.Equal(["pass"], provenance.Parameters.Secrets);
        Assert.InRange(provenance.Metadata!.Started!.Value, before, provenance.Metadata.Finished!.Value);
        Assert.True(provenance.Metadata.ParametersComplete);
        Assert.False(provenance.Metadata.MaterialsComplete);
        Assert.Equal("0123", provenance.Vcs["revision"]);
        Assert.Contains("llbDefinition", provenance.Json, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task EachPlatformHasItsOwn()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        using var context = new BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
        using var files = new BuildContextDirectory();
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var result = await SolveOperation.RunAsync(
            connection, new SolveRequest
            {
                Context = context.Path,
                Platforms = ["linux/arm64", "linux/amd64"],
                Outputs = [new SolveOutput { Type = "cacheonly" }],
                MetadataFile = files.At("m.json"),
            }, null, default);
        Assert.Equal(["linux/amd64", "linux/arm64"], result.Provenance.Select(provenance => provenance.Platform));
        using var metadata = JsonDocument.Parse(await File.ReadAllBytesAsync(files.At("m.json")));
        foreach (var platform in result.Provenance.Select(provenance => provenance.Platform))
            Assert.Equal("Dockerfile", metadata.RootElement.GetProperty($"buildx.build.provenance/{platform}").GetProperty("invocation").GetProperty("configSource")
                .GetProperty("entryPoint").GetString());
    }

    [SkippableFact]
    public async Task ADaemonWithoutHistoryGivesNone()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker20);
        using var context = new BuildContextDirectory().Write("file", "x");
        using var files = new BuildContextDirectory();
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var request = Request(context, engine) with { DockerfileText = $"FROM {engine.BaseImage}\nRUN true\n", MetadataFile = files.At("m.json") };
        var result = await SolveOperation.RunAsync(connection, request, null, default);
        Assert.Empty(result.Provenance);
        Assert.Empty(result.Warnings);
        using var metadata = JsonDocument.Parse(await File.ReadAllBytesAsync(files.At("m.json")));
        Assert.Equal("buildx.build.ref", Assert.Single(metadata.RootElement.EnumerateObject()).Name);
    }

    [Fact]
    public void WhatIsMissingIsLeftOut()
    {
        var bare = ProvenanceReader.Read(new ProvenancePredicate("p", "https://slsa.dev/provenance/v1", "{}"u8.ToArray()));
        Assert.Equal("p", bare.Platform);
        Assert.Empty(bare.Materials);
        Assert.Null(bare.Metadata);
        Assert.Null(bare.BuilderId);
        var odd = ProvenanceReader.Read(new ProvenancePredicate(
            null, "https://slsa.dev/provenance/v0.2", """{"materials":[1,{"uri":7,"digest":"x"}],"invocation":[],"metadata":{"buildStartedOn":"never"},"builder":"me"}"""u8.ToArray()));
        Assert.Equal([new ProvenanceMaterial("", null), new ProvenanceMaterial("", null)], odd.Materials);
        Assert.Null(odd.Metadata!.Started);
        Assert.ThrowsAny<JsonException>(() => new ProvenancePredicate(null, "", Encoding.UTF8.GetBytes("[]")));
    }

    [Theory]
    [InlineData("http://user:pa:s@s@proxy:1", "http://proxy:1")]
    [InlineData("user:pass@proxy:1", "proxy:1")]
    [InlineData("http://proxy:1", "http://proxy:1")]
    public void CredentialsOfProxiesAreLeftOut(string address, string expected)
    {
        var json = """{"invocation":{"parameters":{"args":{"build-arg:HTTP_PROXY":"@","build-arg:A":"x"}}},"buildConfig":[{"proxy_env":{"https_proxy":"@"}}]}""".Replace("@", address, StringComparison.Ordinal);
        var predicate = new ProvenancePredicate(null, "https://slsa.dev/provenance/v0.2", Encoding.UTF8.GetBytes(json));
        Assert.Equal(json.Replace(address, expected, StringComparison.Ordinal), predicate.Json);
        Assert.Equal(expected, (string?)predicate.Slsa02["invocation"]!["parameters"]!["args"]!["build-arg:HTTP_PROXY"]);
    }
}
