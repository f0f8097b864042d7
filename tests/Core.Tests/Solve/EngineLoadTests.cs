using BuildKit.Builders;
using BuildKit.Session.FileSend;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class EngineLoadTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(2);

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task AnImageOfABuildkitdRunsInAnEngine(EngineKind kind)
    {
        var (builder, engine) = (await TestEngines.GetAsync(EngineKind.BuildkitdUnix), await TestEngines.GetAsync(kind));
        var name = $"from-buildkitd-{Guid.NewGuid():N}";
        using var context = new BuildContextDirectory().Write("Dockerfile", "ARG BASE\nFROM $BASE\nRUN echo built > /word\nCMD [\"cat\", \"/word\"]\n");
        await using var connection = await EngineConnection.ConnectAsync(builder);
        await using var loader = await EngineConnection.ConnectAsync(engine);
        var request = new SolveRequest
        {
            Context = context.Path,
            BuildArgs = new Dictionary<string, string> { ["BASE"] = builder.BaseImage },
            Outputs = [new SolveOutput { Type = "docker" }],
            LoadInto = loader,
            Tags = [$"{name}:1", $"{name}:2"],
        };
        var log = new VertexLog();

        var result = await RunAsync(connection, request, log);

        var output = Assert.Single(result.Outputs);
        Assert.Equal(("docker", null, loader.Name), (output.Type, output.Destination, output.LoadedInto));
        Assert.Equal([$"{name}:1", $"{name}:2"], output.LoadedNames.Order());
        Assert.True(output.Size > 1024, $"{output.Size} bytes");
        Assert.Contains(result.Steps, step => step.Name == "importing to docker");
        Assert.Equal(string.Empty, log.Last("importing to docker")!.Error);
        Assert.Equal("built", (await engine.DockerAsync("run", "--rm", "--network", "none", $"{name}:2")).OutputOrThrow());
        var id = (await engine.DockerAsync("image", "inspect", "-f", "{{.Id}}", $"{name}:1")).OutputOrThrow();
        Assert.Equal(kind is EngineKind.Docker28Containerd or EngineKind.Docker26Containerd ? result.ImageDigest : result.ConfigDigest, id);
        await engine.DockerAsync("rmi", $"{name}:1", $"{name}:2");
    }

    [SkippableFact]
    public async Task SeveralPlatformsAndAnAttestationGoIntoAContainerdStore()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        using var context = Scratch();
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));
        await using var loader = await EngineConnection.ConnectAsync(engine);
        var request = Load(context, loader) with { Platforms = ["linux/amd64", "linux/arm64"] };

        var result = await RunAsync(connection, request);

        var manifests = (await engine.DockerAsync("image", "inspect", "--format", "{{json .Descriptor}}", request.Tags[0])).OutputOrThrow();
        Assert.Contains(result.ImageDigest!, manifests, StringComparison.Ordinal);
        Assert.Contains("index", manifests, StringComparison.Ordinal);
        var tree = (await engine.DockerAsync("image", "ls", "--tree", request.Tags[0])).OutputOrThrow();
        Assert.Contains("linux/arm64", tree, StringComparison.Ordinal);
        Assert.Contains("linux/amd64", tree, StringComparison.Ordinal);
        await engine.DockerAsync("rmi", request.Tags[0]);
    }

    [SkippableTheory]
    [InlineData("platforms", "BuildKit.MultiPlatformNotSupported")]
    [InlineData("attestation", "BuildKit.AttestationsNotSupported")]
    public async Task WhatAClassicStoreCanNotHoldIsRefusedBeforeTheBuild(string what, string id)
    {
        using var context = Scratch();
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));
        await using var loader = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.Docker28Graphdriver));
        var request = Load(context, loader) with
        {
            Platforms = what == "platforms" ? ["linux/amd64", "linux/arm64"] : [],
            Attestations = what == "attestation" ? [new SolveAttestation { Type = "provenance" }] : [],
        };
        var log = new VertexLog();

        var failure = await Assert.ThrowsAsync<BuildKitException>(() => RunAsync(connection, request, log));

        Assert.Equal((id, BuildKitErrorCategory.NotSupported), (failure.ErrorId, failure.Category));
        Assert.Contains("classic store", failure.Message, StringComparison.Ordinal);
        Assert.Contains("-LoadInto", failure.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(log.Names);
    }

    [SkippableFact]
    public async Task TwoOutputsOfOneBuildAreAFileAndALoad()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var context = Scratch();
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));
        await using var loader = await EngineConnection.ConnectAsync(engine);
        var request = Load(context, loader);
        request = request with { Load = true, Outputs = [new SolveOutput { Type = "oci", Destination = context.At("out/image.tar") }] };

        var result = await RunAsync(connection, request);

        Assert.Equal(["oci", "docker"], result.Outputs.Select(output => output.Type));
        Assert.Equal(new FileInfo(context.At("out/image.tar")).Length, result.Outputs[0].Size);
        Assert.Equal((null, loader.Name), (result.Outputs[0].LoadedInto, result.Outputs[1].LoadedInto));
        (await engine.DockerAsync("image", "inspect", request.Tags[0])).OutputOrThrow();
        await engine.DockerAsync("rmi", request.Tags[0]);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task ABuildThatFailsAfterItsImageWasSentLoadsNothing(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = Scratch();
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));
        await using var loader = await EngineConnection.ConnectAsync(engine);
        // The stream takes nothing until the other output, the image, has been sent, and breaks then.
        var log = new VertexLog();
        await using var breaking = new BreakingStream(log.WaitForStatusAsync("sending tarball", completed: true));
        var request = Load(context, loader);
        request = request with { Outputs = [.. request.Outputs, new SolveOutput { Type = "tar", Stream = breaking }] };

        var failure = await Assert.ThrowsAsync<ExportException>(() => RunAsync(connection, request, log));

        Assert.Equal("BuildKit.OutputFailed", failure.ErrorId);
        Assert.NotEqual(0, (await engine.DockerAsync("image", "inspect", request.Tags[0])).ExitCode);
        Assert.Equal(string.Empty, (await engine.DockerAsync("images", "-q", "--filter", $"label=load-test={request.Labels["load-test"]}")).OutputOrThrow());
    }

    [SkippableFact]
    public async Task WhatTheEngineRefusesIsToldInItsWords()
    {
        // A folder that can't be made below a file: the Engine finds it when it puts the layer in place.
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.Docker28Graphdriver);
        using var context = Scratch();
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));
        await using var loader = await EngineConnection.ConnectAsync(engine);
        var layers = Path.Combine(Assert.Single(Directory.GetDirectories(Path.Combine(engine.Folder, "data", "image"))), "layerdb", "tmp");
        if (Directory.Exists(layers))
            Directory.Delete(layers, recursive: true);
        await File.WriteAllTextAsync(layers, "in the way");
        var log = new VertexLog();

        var failure = await Assert.ThrowsAsync<ExportException>(() => RunAsync(connection, Load(context, loader), log));

        Assert.Equal("BuildKit.ImageLoadFailed", failure.ErrorId);
        Assert.Contains("not a directory", failure.Message, StringComparison.Ordinal);
        Assert.Contains("-LoadInto", failure.RecommendedAction, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task CancelledInTheMidstOfTheLoadNothingStays(EngineKind kind)
    {
        await using var engine = await TestEngines.StartPrivateAsync(kind);
        // Random bytes do not compress: the archive is larger than everything on its way can hold.
        using var context = Scratch();
        var random = new byte[64 << 20];
        new Random(1).NextBytes(random);
        await File.WriteAllBytesAsync(context.At("large"), random);
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));
        await using var loader = await EngineConnection.ConnectAsync(engine);
        using var stop = new CancellationTokenSource();
        var log = new VertexLog();
        var request = Load(context, loader);
        var before = await CountConnectionsAsync(engine);

        var run = SolveOperation.RunAsync(connection, request, log, stop.Token);
        await log.WaitForStatusAsync("sending tarball");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Guard));

        Assert.Equal(string.Empty, (await engine.DockerAsync("images", "-a", "-q", "--filter", $"label=load-test={request.Labels["load-test"]}")).OutputOrThrow());
        await Poll.UntilAsync(async () => await CountConnectionsAsync(engine) <= before);
        // Both go on with the next build.
        await File.WriteAllBytesAsync(context.At("large"), []);
        await RunAsync(connection, request);
        (await engine.DockerAsync("image", "inspect", request.Tags[0])).OutputOrThrow();
    }

    [SkippableFact]
    public async Task ABuildkitdIsNoEngineToLoadInto()
    {
        using var context = Scratch();
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));

        var failure = await Assert.ThrowsAsync<BuildKitException>(() => RunAsync(connection, Load(context, connection)));

        Assert.Equal("BuildKit.LoadEngineNotFound", failure.ErrorId);
        Assert.Contains(connection.Endpoint.Address, failure.Message, StringComparison.Ordinal);
        Assert.Contains("-LoadInto", failure.RecommendedAction, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task TheStandardOutputNeedsSomebodyWhoTakesItsBytes()
    {
        using var context = Scratch();
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));
        var failure = await Assert.ThrowsAsync<BuildKitException>(
            () => RunAsync(connection, new SolveRequest { Context = context.Path, Outputs = [SolveOutput.Parse("-")] }));
        Assert.Equal("BuildKit.InvalidOutput", failure.ErrorId);
        Assert.False(File.Exists("-"));
    }

    [SkippableFact]
    public async Task ADockerContextThatTheOutputNamesComesFirst()
    {
        using var context = Scratch();
        await using var connection = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.BuildkitdUnix));
        await using var loader = await EngineConnection.ConnectAsync(await TestEngines.GetAsync(EngineKind.Docker28Graphdriver));
        var request = Load(context, loader);
        request = request with { Outputs = [SolveOutput.Parse("type=docker,context=no-such-context")] };

        var failure = await Assert.ThrowsAsync<BuildKitException>(() => RunAsync(connection, request));

        Assert.Equal("BuildKit.LoadEngineNotFound", failure.ErrorId);
        Assert.Contains("'no-such-context'", failure.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("true", 1)]
    [InlineData("false", 0)]
    public async Task ABuilderMayLoadWhereNoOutputIsNamed(string option, int outputs)
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var context = Scratch();
        await using var loader = await EngineConnection.ConnectAsync(engine);
        var node = new BuildKitNode { Name = "a", Endpoint = "unused", DriverOptions = new Dictionary<string, string> { ["default-load"] = option } };
        var endpoint = BuildKitEndpoint.Parse((await TestEngines.GetAsync(EngineKind.BuildkitdUnix)).Address.ToString());
        await using var connection = await BuildKitConnection.ConnectAsync(endpoint);
        using var stop = new CancellationTokenSource(Guard);

        var result = await SolveOperation.RunAsync(
            new BuilderTarget("far", null, [new BuilderTargetNode(endpoint, node)]), (_, _) => Task.FromResult(connection), Load(context, loader) with { Outputs = [] }, null, stop.Token);

        Assert.Equal(outputs, result.Outputs.Count(output => output.LoadedInto == loader.Name));
    }

    private static BuildContextDirectory Scratch() =>
        new BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY . /\n").Write("word", Guid.NewGuid().ToString());

    private static SolveRequest Load(BuildContextDirectory context, BuildKitConnection loader)
    {
        var id = Guid.NewGuid().ToString("N");
        return new SolveRequest
        {
            Context = context.Path,
            Outputs = [new SolveOutput { Type = "docker" }],
            LoadInto = loader,
            Tags = [$"loaded-{id}:1"],
            Labels = new Dictionary<string, string> { ["load-test"] = id },
        };
    }

    private static Task<BuildKitSolveResult> RunAsync(BuildKitConnection connection, SolveRequest request, IProgress<SolveEvent>? events = null) =>
        SolveOperation.RunAsync(connection, request, events, CancellationToken.None).WaitAsync(Guard);

    /// <summary>The Engine's ends of its socket's connections.</summary>
    private static async Task<int> CountConnectionsAsync(TestEngine engine)
    {
        var lines = await File.ReadAllLinesAsync("/proc/net/unix");
        return lines.Count(line => line.EndsWith(" " + engine.Address.AbsolutePath, StringComparison.Ordinal));
    }

    /// <summary>Breaks at the first write, once it may.</summary>
    private sealed class BreakingStream(Task until) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await until.WaitAsync(Guard, cancellationToken);
            // An Engine that had the whole archive would load it meanwhile.
            await Task.Delay(500, cancellationToken);
            throw new IOException("broken on purpose");
        }
    }

    /// <summary>Keeps the vertexes of a build, and lets a test wait for a part of one.</summary>
    private sealed class VertexLog : IProgress<SolveEvent>
    {
        private readonly object _lock = new();
        private readonly List<SolveVertex> _vertexes = [];
        private readonly Dictionary<(string Id, bool Completed), TaskCompletionSource> _statuses = [];

        public IReadOnlyList<string> Names
        {
            get
            {
                lock (_lock)
                    return _vertexes.Select(vertex => vertex.Name).ToList();
            }
        }

        public SolveVertex? Last(string name)
        {
            lock (_lock)
                return _vertexes.LastOrDefault(vertex => vertex.Name == name);
        }

        public Task WaitForStatusAsync(string id, bool completed = false) => Source((id, completed)).Task.WaitAsync(Guard);

        public void Report(SolveEvent value)
        {
            lock (_lock)
                _vertexes.AddRange(value.Vertexes);
            foreach (var status in value.Statuses)
                Source((status.Id, status.Completed is not null)).TrySetResult();
        }

        private TaskCompletionSource Source((string Id, bool Completed) status)
        {
            lock (_lock)
                return _statuses.TryGetValue(status, out var source) ? source
                    : _statuses[status] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
