using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Builds on real daemons.</summary>
public sealed class SolveOperationTests
{
    private const string TwoStages = """
        ARG BASE
        FROM ${BASE} AS build
        COPY greeting.txt /in
        RUN tr a-z A-Z < /in > /out && echo "shouted $(wc -c < /out) bytes"
        FROM ${BASE}
        COPY --from=build /out /greeting
        CMD ["cat", "/greeting"]
        """;

    private static SolveRequest Request(TestEngine engine, BuildContextDirectory context) => new()
    {
        Context = context.Path,
        BuildArgs = new Dictionary<string, string> { ["BASE"] = engine.BaseImage },
    };

    private static async Task<T> FailsAsync<T>(TestEngine engine, SolveRequest request)
        where T : BuildKitException
    {
        await using var connection = await EngineConnection.ConnectAsync(engine);
        return await Assert.ThrowsAsync<T>(() => SolveOperation.RunAsync(connection, request, null, default).WaitAsync(TimeSpan.FromMinutes(2)));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.Docker20)]
    public async Task TheImageAppearsInTheEngineAndRuns(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", TwoStages).Write("greeting.txt", "hello, it is " + Guid.NewGuid());
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var log = new EventLog();

        var result = await SolveOperation.RunAsync(connection, Request(engine, context) with { Tags = ["two-stages:1"] }, log, default);

        Assert.Contains("shouted", log.Text, StringComparison.Ordinal);
        Assert.StartsWith("sha256:", result.ImageDigest, StringComparison.Ordinal);
        Assert.Equal(["docker.io/library/two-stages:1"], result.Tags);
        Assert.Equal("image", Assert.Single(result.Outputs).Type);
        Assert.Contains(result.Steps, step => step.Name.Contains("RUN tr", StringComparison.Ordinal) && !step.Cached);
        var run = await engine.DockerAsync("run", "--rm", "--network", "none", "two-stages:1");
        Assert.StartsWith("HELLO, IT IS", run.OutputOrThrow(), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.BuildkitdTls)]
    public async Task FilesComeBackAsADirectoryAndAsATar(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", TwoStages).Write("greeting.txt", "files");
        using var destination = new BuildContextDirectory();
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var local = new SolveOutput { Type = "local", Destination = Path.Combine(destination.Path, "deep", "out") };
        var tar = new SolveOutput { Type = "tar", Destination = Path.Combine(destination.Path, "out.tar") };

        await SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = [local] }, null, default);
        var result = await SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = [tar] }, null, default);

        Assert.Equal("FILES", await File.ReadAllTextAsync(Path.Combine(local.Destination, "greeting")));
        Assert.Equal(new FileInfo(tar.Destination).Length, Assert.Single(result.Outputs).Size);
        using var reader = new System.Formats.Tar.TarReader(File.OpenRead(tar.Destination));
        var names = new List<string>();
        while (await reader.GetNextEntryAsync() is { } entry)
            names.Add(entry.Name);
        Assert.Contains("greeting", names);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd, "oci")]
    [InlineData(EngineKind.Docker28Containerd, "docker")]
    [InlineData(EngineKind.BuildkitdUnix, "oci")]
    [InlineData(EngineKind.BuildkitdTls, "docker")]
    public async Task AnImageComesBackAsAnArchive(EngineKind kind, string type)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", TwoStages).Write("greeting.txt", "archive");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var output = new SolveOutput { Type = type, Destination = context.At("image.tar") };

        var result = await SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = [output], Tags = ["a:1"] }, null, default);

        var docker = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        var loaded = await docker.DockerAsync("load", "-i", output.Destination);
        Assert.Contains("a:1", loaded.OutputOrThrow(), StringComparison.Ordinal);
        Assert.StartsWith("sha256:", result.ImageDigest, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker26)]
    public async Task SeveralOutputsComeFromOneBuild(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", TwoStages).Write("greeting.txt", "several");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        SolveOutput[] outputs = [new() { Type = "tar", Destination = context.At("a.tar") }, new() { Type = "local", Destination = Path.Combine(context.Path, "b") }];

        var result = await SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = outputs }, null, default);

        Assert.Equal(["tar", "local"], result.Outputs.Select(output => output.Type));
        Assert.True(File.Exists(outputs[0].Destination));
        Assert.Equal("SEVERAL", await File.ReadAllTextAsync(Path.Combine(outputs[1].Destination!, "greeting")));
    }

    [SkippableFact]
    public async Task LoadPutsTheImageIntoTheEngineBesideAnotherOutput()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        using var context = new BuildContextDirectory().Write("Dockerfile", TwoStages).Write("greeting.txt", "loaded");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var output = new SolveOutput { Type = "local", Destination = Path.Combine(context.Path, "out") };
        await SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = [output], Load = true, Tags = ["loaded:1"] }, null, default);
        Assert.Equal("LOADED", await File.ReadAllTextAsync(Path.Combine(output.Destination, "greeting")));
        Assert.Equal("LOADED", (await engine.DockerAsync("run", "--rm", "--network", "none", "loaded:1")).OutputOrThrow());
    }

    [SkippableFact]
    public async Task AnOldEngineThatWouldDropTheSecondOutputIsRefused()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker20);
        using var context = new BuildContextDirectory().Write("Dockerfile", TwoStages).Write("greeting.txt", "several");
        SolveOutput[] outputs = [new() { Type = "tar", Destination = context.At("a.tar") }, new() { Type = "image" }];
        var failure = await FailsAsync<BuildKitException>(engine, Request(engine, context) with { Outputs = outputs });
        Assert.Equal("BuildKit.SeveralOutputsNotSupported", failure.ErrorId);
        Assert.False(File.Exists(outputs[0].Destination));
    }

    [Theory]
    [InlineData("v0.12.5", true)]
    [InlineData("0.8", true)]
    [InlineData("v0.13.0-rc1", false)]
    [InlineData("v0.25.2", false)]
    [InlineData("v0.0.0+unknown", false)]
    [InlineData("moby", false)]
    [InlineData(null, false)]
    public void OnlyAKnownOldVersionIsOld(string? version, bool isOld) => Assert.Equal(isOld, SeveralExports.IsOlder(version, new Version(0, 13)));

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AFailingStepIsNamedWithItsLinesAndItsLastWords(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", "ARG BASE\nFROM ${BASE}\nRUN echo last words; exit 7\n");
        var failure = await FailsAsync<SolveFailedException>(engine, Request(engine, context));

        Assert.Equal("BuildKit.SolveFailed", failure.ErrorId);
        Assert.Contains("RUN echo last words", failure.Vertex, StringComparison.Ordinal);
        Assert.Equal(["last words"], failure.Logs);
        Assert.Equal(7, failure.ExitCode);
        // An Engine 20.10 sends no details with its errors, so the lines can't be known there.
        if (kind != EngineKind.Docker20)
            Assert.Contains(">>> RUN echo last words; exit 7", failure.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AStepThatFailsAfterALongSilenceIsNamedToo()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var context = new BuildContextDirectory().Write("Dockerfile", "ARG BASE\nFROM ${BASE}\nRUN sleep 7; echo the end; exit 4\n");
        var failure = await FailsAsync<SolveFailedException>(engine, Request(engine, context));
        Assert.Equal(4, failure.ExitCode);
        Assert.Equal(["the end"], failure.Logs);
    }

    [SkippableTheory]
    [InlineData("FROM ${BASE}\nCOPY nope /\n", null, "BuildKit.FileNotInContext")]
    [InlineData("FROM ${BASE}\nRUNN true\n", null, "BuildKit.DockerfileSyntax")]
    [InlineData("FROM ${BASE}\n", "nope", "BuildKit.TargetNotFound")]
    public async Task AMistakeHasAStableId(string dockerfile, string? target, string errorId)
    {
        foreach (var kind in new[] { EngineKind.Docker28Graphdriver, EngineKind.Docker20, EngineKind.BuildkitdUnix })
        {
            var engine = await TestEngines.GetAsync(kind);
            using var context = new BuildContextDirectory().Write("Dockerfile", "ARG BASE\n" + dockerfile);
            var failure = await FailsAsync<SolveFailedException>(engine, Request(engine, context) with { Target = target });
            Assert.Equal((kind, errorId), (kind, failure.ErrorId));
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task CancellingStopsTheStepOnTheDaemonAndLeavesNoOutput(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var marker = $"sleep 98{Random.Shared.Next(1000, 9999)}";
        using var context = new BuildContextDirectory().Write("Dockerfile", $"ARG BASE\nFROM ${{BASE}}\nRUN echo started; {marker}\n");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        using var stop = new CancellationTokenSource();
        var log = new EventLog();
        var output = new SolveOutput { Type = "local", Destination = Path.Combine(context.Path, "out") };
        var solve = SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = [output] }, log, stop.Token);

        await log.WaitForAsync("started");
        await Poll.UntilAsync(() => IsRunning(marker));
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => solve.WaitAsync(Poll.Patience));
        await Poll.UntilAsync(() => !IsRunning(marker));
        Assert.Equal(["Dockerfile"], Directory.EnumerateFileSystemEntries(context.Path).Select(Path.GetFileName));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task ADaemonKilledInTheMiddleIsALostConnection(EngineKind kind)
    {
        await using var engine = await TestEngines.StartPrivateAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", "ARG BASE\nFROM ${BASE}\nRUN echo started; sleep 300\n");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var log = new EventLog();
        var output = new SolveOutput { Type = "tar", Destination = context.At("out.tar") };
        var solve = SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = [output] }, log, default);
        await log.WaitForAsync("started");

        await engine.KillAsync();

        var failure = await Assert.ThrowsAsync<BuildKitException>(() => solve.WaitAsync(Poll.Patience));
        Assert.Equal("BuildKit.ConnectionLost", failure.ErrorId);
        Assert.Equal(["Dockerfile"], Directory.EnumerateFileSystemEntries(context.Path).Select(Path.GetFileName));
    }

    [SkippableFact]
    public async Task ADockerfileMayBeTextAndNeedNoContext()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var request = new SolveRequest { DockerfileText = $"FROM {engine.BaseImage}\nRUN echo from text > /t\nCMD [\"cat\", \"/t\"]\n", Tags = ["text:1"] };
        await SolveOperation.RunAsync(connection, request, null, default);
        Assert.Equal("from text", (await engine.DockerAsync("run", "--rm", "--network", "none", "text:1")).OutputOrThrow().Trim());
    }

    [SkippableFact]
    public async Task ABuildkitdThatIsAskedForNothingSaysSo()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        using var context = new BuildContextDirectory().Write("Dockerfile", "ARG BASE\nFROM ${BASE}\n");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var result = await SolveOperation.RunAsync(connection, Request(engine, context), null, default);
        Assert.Empty(result.Outputs);
        Assert.Contains(result.Warnings, IsNoOutput);
        var asked = await SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = [new SolveOutput { Type = "cacheonly" }] }, null, default);
        Assert.DoesNotContain(asked.Warnings, IsNoOutput);

        static bool IsNoOutput(SolveWarning warning) => warning.Short.StartsWith("No output was asked for", StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AnUnreachableRegistryOfTheBaseImageIsNamed()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var context = new BuildContextDirectory().Write("Dockerfile", "FROM 127.0.0.1:9/nobody/listens:1\n");
        var failure = await FailsAsync<SolveFailedException>(engine, Request(engine, context));
        Assert.Equal("BuildKit.BaseImageNotFound", failure.ErrorId);
        Assert.Contains("127.0.0.1:9/nobody/listens:1", failure.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task ManyBuildsShareAConnection()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var builds = Enumerable.Range(0, 8).Select(async i =>
        {
            using var context = new BuildContextDirectory().Write("Dockerfile", TwoStages).Write("greeting.txt", $"number {i}");
            using var destination = new BuildContextDirectory();
            var output = new SolveOutput { Type = "local", Destination = Path.Combine(destination.Path, "out") };
            await SolveOperation.RunAsync(connection, Request(engine, context) with { Outputs = [output] }, null, default);
            return await File.ReadAllTextAsync(Path.Combine(output.Destination, "greeting"));
        });
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"NUMBER {i}"), await Task.WhenAll(builds));
    }

    private static bool IsRunning(string command)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ').Contains(command, StringComparison.Ordinal))
                    return true;
            }
            catch (IOException)
            {
            }
        }
        return false;
    }
}
