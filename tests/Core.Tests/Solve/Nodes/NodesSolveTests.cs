using System.Text;
using BuildKit.Builders;
using BuildKit.Oci;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve.Nodes;

/// <summary>Builds on a builder with two nodes, beside those of docker buildx on the same builder.</summary>
public sealed class NodesSolveTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    private static readonly string[] Both = ["linux/amd64", "linux/arm64"];

    public static TheoryData<string, string, string[], string> Cases => new()
    {
        { "docker's types", "linux/amd64,linux/arm64", [], "" },
        { "types of the OCI", "linux/amd64,linux/arm64", [], ",oci-mediatypes=true" },
        { "three platforms on two nodes", "linux/arm64,linux/386,linux/amd64", [], "" },
        {
            "annotations", "linux/amd64,linux/arm64",
            ["index:k=v", "index,manifest-descriptor:org.example.both=<b> & é", "manifest[linux/arm64]:one=1", "manifest-descriptor[linux/arm64]:two=2", "plain=3"], ""
        },
    };

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public async Task TheIndexIsTheOneThatBuildxMakes(string name, string platforms, string[] annotations, string attributes)
    {
        await nodes.StartAsync();
        var (ours, second, theirs) = (nodes.NewName(), nodes.NewName("other"), nodes.NewName());
        var (ourMetadata, theirMetadata, id) = (nodes.NewPath(), nodes.NewPath(), nodes.NewPath());
        var output = $"type=image,push=true,rewrite-timestamp=true{attributes}";
        (await nodes.BuildxAsync(
            ["build", "--builder", "two", "--platform", platforms, "--tag", theirs, "-o", output, "--provenance=false", "--metadata-file", theirMetadata,
            .. annotations.SelectMany(annotation => new[] { "--annotation", annotation }), nodes.Context])).OutputOrThrow();

        var result = await nodes.BuildAsync(Request(ours, second) with
        {
            Platforms = [platforms],
            Outputs = [SolveOutput.Parse(output)],
            Annotations = annotations,
            MetadataFile = ourMetadata,
            ImageIdFile = id,
        });

        Assert.Equal((name, await RegistryContent.DigestAsync(nodes.Registry, theirs)), (name, result.ImageDigest!));
        Assert.Equal(result.ImageDigest, await RegistryContent.DigestAsync(nodes.Registry, ours));
        Assert.Equal(result.ImageDigest, await RegistryContent.DigestAsync(nodes.Registry, second));
        Assert.Equal(await File.ReadAllTextAsync(theirMetadata), await File.ReadAllTextAsync(ourMetadata));
        Assert.Equal(result.ImageDigest, await File.ReadAllTextAsync(id));
        Assert.Equal([ours, second], result.Tags);
        Assert.Equal("two", result.Builder);
        Assert.Contains(result.Steps, step => step.Name == $"merging manifest list {ours},{second}");
        var index = OciIndex.Parse(await RegistryContent.ManifestAsync(nodes.Registry, ours));
        Assert.Equal(
            index.Manifests.Select(entry => ($"{entry.Platform}", $"{entry.Digest}")).Order(),
            result.Nodes.SelectMany(node => node.ManifestDigests).Select(entry => (entry.Key, entry.Value)).Order());
    }

    [SkippableFact]
    public async Task EachNodeBuildsItsOwnPlatforms()
    {
        await nodes.StartAsync();
        var result = await nodes.BuildAsync(Request(nodes.NewName()) with { Platforms = ["linux/arm64", "linux/amd64"] });
        Assert.Equal(["b (linux/arm64)", "a (linux/amd64)"], result.Nodes.Select(node => node.ToString()));
        Assert.Equal("linux/amd64 linux/arm64", await nodes.RecordedAsync(result.Ref));
        Assert.Contains(result.Steps, step => step.Name.StartsWith("[b linux/arm64 2/2] COPY", StringComparison.Ordinal));
        Assert.Contains(result.Steps, step => step.Name.StartsWith("[a linux/amd64 2/2] COPY", StringComparison.Ordinal));
        Assert.Equal("- linux/arm64", await nodes.RecordedAsync((await nodes.BuildAsync(Request(nodes.NewName()) with { Platforms = ["linux/arm64/v8"] })).Ref));
        // What nobody has goes to the first node, as everything does that names no platform.
        Assert.Equal("linux/386 -", await nodes.RecordedAsync((await nodes.BuildAsync(Request(nodes.NewName()) with { Platforms = ["linux/386"] })).Ref));
        var native = await nodes.BuildAsync(Request(nodes.NewName()));
        Assert.Equal(" -", await nodes.RecordedAsync(native.Ref));
        Assert.Empty(native.Nodes);
    }

    [SkippableFact]
    public async Task AttestationsAreInTheIndexAsBuildxHasThem()
    {
        await nodes.StartAsync();
        var (ours, theirs) = (nodes.NewName(), nodes.NewName());
        (await nodes.BuildxAsync("build", "--builder", "two", "--platform", string.Join(',', Both), "--tag", theirs, "--push", nodes.Context)).OutputOrThrow();
        var result = await nodes.BuildAsync(Request(ours) with { Platforms = Both, Attestations = [] });

        Assert.Equal(await ShapeAsync(theirs), await ShapeAsync(ours));
        Assert.Equal(4, (await ShapeAsync(ours)).Count);
        Assert.Equal(2, result.Provenance.Count);

        async Task<List<string>> ShapeAsync(string name) => OciIndex.Parse(await RegistryContent.ManifestAsync(nodes.Registry, name)).Manifests
            .Select(entry => $"{entry.MediaType} {entry.Platform} {string.Join(' ', entry.Annotations.Keys)} {(entry.IsAttestation ? "" : entry.Digest)}").ToList();
    }

    [SkippableFact]
    public async Task ANodeThatFailsStopsTheOthersAndLeavesNoName()
    {
        await nodes.StartAsync();
        var name = nodes.NewName();
        var request = Request(name) with
        {
            DockerfileText = $"FROM --platform=$BUILDPLATFORM {nodes.B.BaseImage}\nARG TARGETARCH\nRUN test $TARGETARCH = amd64 && sleep 600\n",
            Platforms = Both,
            Ref = Identifier.New(),
        };
        var failure = await nodes.FailAsync(request);
        Assert.Equal(("b", "BuildKit.SolveFailed", 1), (failure.Node, failure.ErrorId, ((SolveFailedException)failure).ExitCode));
        Assert.StartsWith("Node 'b': ", failure.Message, StringComparison.Ordinal);
        // It may not have got as far as the other node at all.
        Assert.Contains(await EndAsync(request.Ref!), new[] { "error error", "- error" });
        await AssertNoTagAsync(name);
    }

    [SkippableFact]
    public async Task StoppingStopsBothNodes()
    {
        await nodes.StartAsync();
        var name = nodes.NewName();
        var log = new EventLog();
        using var stop = new CancellationTokenSource();
        var request = Request(name) with
        {
            DockerfileText = $"FROM --platform=$BUILDPLATFORM {nodes.B.BaseImage}\nARG TARGETARCH\nRUN echo waiting-{Guid.NewGuid():N}-$TARGETARCH; sleep 600\n",
            Platforms = Both,
            Ref = Identifier.New(),
        };
        var build = nodes.BuildAsync(request, log, cancellationToken: stop.Token);
        await Task.WhenAll(log.WaitForAsync("-amd64"), log.WaitForAsync("-arm64"));

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => build);
        Assert.Equal("error error", await EndAsync(request.Ref!));
        await AssertNoTagAsync(name);
    }

    [SkippableFact]
    public async Task ANodeThatIsGoneIsNamedAndOnlyMissedWhereItIsNeeded()
    {
        await nodes.StartAsync();
        var gone = nodes.Builder.Nodes[1] with { Endpoint = BuildKitEndpoint.Parse("unix:///nowhere/buildkitd.sock") };
        var builder = nodes.Builder with { Nodes = [nodes.Builder.Nodes[0], gone] };
        var failure = await nodes.FailAsync(Request(nodes.NewName()) with { Platforms = Both }, builder: builder);
        Assert.Equal(("b", BuildKitErrorCategory.Connection), (failure.Node, failure.Category));
        Assert.Contains("Node 'b'", failure.Message, StringComparison.Ordinal);

        Assert.NotNull((await nodes.BuildAsync(Request(nodes.NewName()) with { Platforms = ["linux/amd64"] }, builder: builder)).ImageDigest);
    }

    [SkippableTheory]
    [InlineData("type=oci,dest=X")]
    [InlineData("type=oci,dest=X,tar=false")]
    [InlineData("type=tar,dest=X")]
    [InlineData("type=docker,dest=X")]
    [InlineData("type=docker")]
    [InlineData("type=image,push=true;type=registry,oci-mediatypes=true")]
    public async Task WhatCantBeJoinedIsSaidBeforeAnythingIsBuilt(string outputs)
    {
        await nodes.StartAsync();
        var path = nodes.NewPath();
        var seen = new Recorder<SolveEvent>();
        var request = Request(nodes.NewName()) with
        {
            Platforms = Both,
            Push = false,
            Outputs = outputs.Split(';').Select(output => SolveOutput.Parse(output.Replace("X", path, StringComparison.Ordinal))).ToList(),
        };
        var failure = await nodes.FailAsync(request, seen);
        Assert.Equal(("BuildKit.NodesOutputNotSupported", null, BuildKitErrorCategory.NotSupported), (failure.ErrorId, failure.Node, failure.Category));
        Assert.Contains("push", failure.RecommendedAction, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(seen.Events);
        Assert.False(Path.Exists(path));
        // One node does all of these, but for what needs an Engine.
        if (outputs.Contains('X', StringComparison.Ordinal))
            Assert.Empty((await nodes.BuildAsync(request with { Platforms = ["linux/arm64"] })).Nodes);
    }

    [SkippableFact]
    public async Task FilesOfAllNodesComeToOneDirectoryAndABrokenRequestNamesNoNode()
    {
        await nodes.StartAsync();
        var (directory, metadata) = (nodes.NewPath(), nodes.NewPath());
        // The context as a stream, which every node reads from its beginning.
        var archive = nodes.NewPath();
        (await CommandResult.RunAsync("tar", ["-cf", archive, "-C", nodes.Context, "."])).OutputOrThrow();
        await using var stream = File.OpenRead(archive);
        var request = Request() with
        {
            Context = null,
            ContextArchive = stream,
            Platforms = Both,
            Push = false,
            Outputs = [new SolveOutput { Type = "local", Destination = directory }],
            CacheTo = [new SolveCache { Type = "local", Attributes = new Dictionary<string, string> { ["dest"] = nodes.NewPath() } }],
            MetadataFile = metadata,
        };
        var result = await nodes.BuildAsync(request);
        Assert.Equal("for amd64\n", await File.ReadAllTextAsync(Path.Combine(directory, "linux_amd64", "hello")));
        Assert.Equal("for arm64\n", await File.ReadAllTextAsync(Path.Combine(directory, "linux_arm64", "hello")));
        Assert.Equal(Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), Assert.Single(result.Outputs).Size);
        Assert.Contains($"\"two/a/{result.Ref}\"", await File.ReadAllTextAsync(metadata), StringComparison.Ordinal);
        Assert.Equal("buildx.build.provenance/linux/amd64", System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(metadata)).RootElement.EnumerateObject().First().Name);
        Assert.Single(result.Warnings, warning => warning.Short.Contains("same place (type=local)", StringComparison.Ordinal));

        var failure = await nodes.FailAsync(request with { ContextArchive = null, Context = "/nowhere" });
        Assert.Null(failure.Node);
    }

    [SkippableFact]
    public async Task FilesOfAllNodesAreInPlaceWhereWhatComesAfterFails()
    {
        await nodes.StartAsync();
        var (directory, cache) = (nodes.NewPath(), nodes.NewPath());
        var request = Request() with
        {
            Platforms = Both,
            Push = false,
            Outputs = [new SolveOutput { Type = "local", Destination = directory }],
            CacheTo = [new SolveCache { Type = "local", Attributes = new Dictionary<string, string> { ["dest"] = cache } }],
        };
        // Meanwhile something comes to lie where the cache's index is to be written.
        var failure = await nodes.FailAsync(request, new Recorder<SolveEvent>(_ => Directory.CreateDirectory(Path.Combine(cache, "index.json"))));
        Assert.Equal("a", failure.Node);
        Assert.Equal(["linux_amd64", "linux_arm64"], Directory.GetDirectories(directory).Select(Path.GetFileName).Order());
    }

    [SkippableTheory]
    [InlineData("linux/arm64")]
    [InlineData("linux/amd64,linux/arm64")]
    public async Task ANodeThatIsLeftOutIsAWarning(string platforms)
    {
        await nodes.StartAsync();
        var lost = new BuildKitException("BuildKit.DockerContextNotFound", BuildKitErrorCategory.NotFound, "It is gone.") { Node = "c" };
        var request = Request() with { Platforms = platforms.Split(','), Push = false, Outputs = [new SolveOutput { Type = "cacheonly" }] };
        var result = await nodes.BuildAsync(request, builder: nodes.Builder with { Unavailable = [lost] });
        Assert.Single(result.Warnings, warning => warning.Short.EndsWith("Node 'c': It is gone.", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task FilesOfTheSameNameAreRefusedAndOthersAreNot()
    {
        await nodes.StartAsync();
        var directory = nodes.NewPath();
        var request = Request() with
        {
            Platforms = Both,
            Push = false,
            Outputs = [SolveOutput.Parse($"type=local,dest={directory},platform-split=false")],
        };
        var failure = await nodes.FailAsync(request);
        Assert.Equal("BuildKit.OutputFilesCollide", failure.ErrorId);
        Assert.False(Path.Exists(directory));

        await nodes.BuildAsync(request with { DockerfileText = "FROM scratch\nARG TARGETARCH\nCOPY hello-$TARGETARCH /bin/\n" });
        Assert.Equal(["hello-amd64", "hello-arm64"], Directory.GetFiles(Path.Combine(directory, "bin")).Select(Path.GetFileName).Order());
    }

    [SkippableFact]
    public async Task ThePartsAreJoinedWithTheUsersOwnCredentialsAndNoneOfThemIsSeen()
    {
        await nodes.StartAsync();
        var registry = await TestEngines.GetAsync(EngineKind.RegistryBasic);
        using var files = new BuildContextDirectory();
        var name = RegistryBuild.NewName(registry, "nodes");
        var seen = new StringBuilder();
        var events = new Recorder<SolveEvent>(item => seen.AppendJoin('\n', item.Vertexes).AppendJoin('\n', item.Statuses).AppendJoin('\n', item.Warnings));

        files.Write("config.json", RegistryBuild.Auths(registry, $$"""{"auth":"{{RegistryAccount.Writer.Base64}}"}"""));
        // From scratch: see TwoNodes on layers that two nodes share.
        var request = Request(name) with { Platforms = Both, DockerfileText = "FROM scratch\nARG TARGETARCH\nCOPY hello-$TARGETARCH /private\n" };
        var result = await nodes.BuildAsync(request, events, config: files.Path);
        Assert.Equal(await RegistryContent.DigestAsync(registry, name), result.ImageDigest);
        seen.Append(result).AppendJoin(' ', result.Steps).AppendJoin(' ', result.Nodes);

        files.Write("config.json", RegistryBuild.Auths(registry, $$"""{"auth":"{{RegistryAccount.Wrong.Base64}}"}"""));
        var failure = await nodes.FailAsync(request, events, config: files.Path);
        Assert.Equal("BuildKit.RegistryDenied", failure.ErrorId);
        Assert.NotNull(failure.Node);
        seen.Append(failure).Append(failure.RecommendedAction);
        Assert.All(RegistryAccount.Secrets, secret => Assert.DoesNotContain(secret, seen.ToString(), StringComparison.Ordinal));
    }

    private SolveRequest Request(params string[] tags) => new()
    {
        Context = nodes.Context,
        Tags = tags,
        Push = true,
        SourceDateEpoch = TwoNodes.Epoch,
        Attestations = [new SolveAttestation { Type = "provenance", Disabled = true }],
    };

    private async Task AssertNoTagAsync(string name) =>
        await Assert.ThrowsAsync<HttpRequestException>(() => RegistryContent.ManifestAsync(nodes.Registry, name));

    /// <summary>What the nodes have recorded of a build once it runs on none of them.</summary>
    private async Task<string> EndAsync(string solveRef)
    {
        var limit = DateTime.UtcNow.AddSeconds(60);
        while (true)
        {
            var state = await nodes.RecordedAsync(solveRef);
            if (!state.Contains("linux/", StringComparison.Ordinal) || DateTime.UtcNow > limit)
                return state;
            await Task.Delay(100);
        }
    }
}
