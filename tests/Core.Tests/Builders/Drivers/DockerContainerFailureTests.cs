using System.Net;
using System.Net.Sockets;
using BuildKit.Builders;
using BuildKit.Builders.Drivers;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>Boots that fail or are stopped say why and leave nothing behind.</summary>
public sealed class DockerContainerFailureTests
{
    [SkippableFact]
    public async Task AnImageThatTheRegistryDoesNotHaveIsThePullsError()
    {
        await using var builder = await OnAsync(("image", (await BuildKitImage.InRegistryAsync()) + "-not-there"));
        var log = new Recorder<BuilderBootEvent>();
        var error = await Assert.ThrowsAnyAsync<BuildKitException>(() => builder.BootAsync(log));
        Assert.Equal("BuildKit.ImageNotFoundInRegistry", error.ErrorId);
        Assert.Equal(error.Message, Assert.Single(log.Events, step => step.IsCompleted).Error);
        Assert.Empty(await builder.LeftAsync());
    }

    [SkippableFact]
    public async Task AContainerThatEndsAtOnceIsToldWithTheEndOfItsLog()
    {
        await using var builder = await BusyboxAsync("sh", "-c", "echo nothing; echo no such flag >&2; exit 7");
        var error = await FailureAsync(builder);
        Assert.Contains("exit code 7", error.Message, StringComparison.Ordinal);
        Assert.Contains("no such flag", error.Message, StringComparison.Ordinal);
        Assert.Empty(await builder.LeftAsync());
    }

    [SkippableFact]
    public async Task AnImageWithoutBuildctlIsTold()
    {
        await using var builder = await BusyboxAsync("sleep", "600");
        Assert.Contains("holds no buildctl", (await FailureAsync(builder)).Message, StringComparison.Ordinal);
        Assert.Empty(await builder.LeftAsync());
    }

    [SkippableFact]
    public async Task ANetworkThatDoesNotExistIsTold()
    {
        await using var builder = await OnAsync(("network", "nowhere"));
        var error = await FailureAsync(builder);
        Assert.Contains("network nowhere not found", error.Message, StringComparison.Ordinal);
        Assert.Contains("network", error.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(await builder.LeftAsync());
    }

    [SkippableFact]
    public async Task WhatWasThereBeforeStays()
    {
        await using var builder = await OnAsync();
        await builder.BootAsync();
        await ContainerBuilder.Driver.RemoveAsync(builder.Node, keepState: true, default);
        await FailureAsync(builder.With(node => node with { BuildkitdFlags = ["--no-such-flag"] }));
        Assert.Equal([$"volume {builder.Container}_state"], await builder.LeftAsync());
    }

    [SkippableFact]
    public async Task APausedContainerIsTold()
    {
        await using var builder = await OnAsync();
        await builder.BootAsync();
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        (await engine.DockerAsync("pause", builder.Container)).OutputOrThrow();
        Assert.Equal(BuildKitNodeStatus.Error, await builder.StatusAsync());
        Assert.Contains($"docker unpause {builder.Container}", (await FailureAsync(builder)).RecommendedAction, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AContainerThatSomebodyLeftUnstartedIsFilledAndStarted()
    {
        await using var builder = (await OnAsync()).With(node => node with { Files = new Dictionary<string, byte[]> { ["buildkitd.toml"] = "debug = true\n"u8.ToArray() } });
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        string[] made = ["create", "--privileged", "--name", builder.Container, builder.Node.Node.DriverOptions["image"], "--config", "/etc/buildkit/buildkitd.toml"];
        (await engine.DockerAsync(made)).OutputOrThrow();
        await builder.BootAsync();
        Assert.Equal("debug = true", (await builder.ExecAsync("cat", "/etc/buildkit/buildkitd.toml")).OutputOrThrow());
    }

    [SkippableFact]
    public async Task StoppedInTheMidstOfThePullItLeavesNothing()
    {
        // A registry that takes a request and never answers.
        using var registry = new TcpListener(IPAddress.Loopback, 0);
        registry.Start();
        await using var builder = await OnAsync(("image", $"127.0.0.1:{((IPEndPoint)registry.LocalEndpoint).Port}/buildkit:1"));
        using var stop = new CancellationTokenSource();
        var boot = builder.BootAsync(null, stop.Token);
        using var asked = await registry.AcceptTcpClientAsync().WaitAsync(Poll.Patience);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => boot);
        Assert.Empty(await builder.LeftAsync());
    }

    [SkippableFact]
    public async Task StoppedWhileItWaitsForTheDaemonItLeavesNothing()
    {
        await using var builder = await SilentAsync();
        using var stop = new CancellationTokenSource();
        var boot = builder.BootAsync(null, stop.Token);
        await UntilItRunsAsync(builder);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => boot);
        Assert.Empty(await builder.LeftAsync());
    }

    [SkippableFact]
    public async Task WhoStopsDoesNotStopTheOthers()
    {
        await using var builder = await OnAsync();
        using var stop = new CancellationTokenSource();
        var patient = builder.BootAsync();
        var impatient = builder.BootAsync(new Recorder<BuilderBootEvent>(step =>
        {
            if (step.Step.StartsWith("creating", StringComparison.Ordinal))
                stop.Cancel();
        }), stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        await patient;
        Assert.Equal(BuildKitNodeStatus.Running, await builder.StatusAsync());
    }

    [SkippableFact]
    public async Task AContainerThatSomebodyUsesAlreadyIsLeftToThem()
    {
        await using var builder = await SilentAsync();
        using var stop = new CancellationTokenSource();
        var boot = builder.BootAsync(null, stop.Token);
        await UntilItRunsAsync(builder);
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        (await engine.DockerAsync("exec", "--detach", builder.Container, "sleep", "600")).OutputOrThrow();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => boot);
        Assert.Equal(BuildKitNodeStatus.Running, await builder.StatusAsync());
    }

    [SkippableFact]
    public async Task AContainerThatWasLeftUnstartedAndEndsAtOnceIsStoppedAgain()
    {
        await using var builder = await OnAsync();
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        (await engine.DockerAsync("create", "--restart", "always", "--name", builder.Container, registry.BaseImage, "sh", "-c", "echo no such flag; exit 7")).OutputOrThrow();
        Assert.Contains("no such flag", (await FailureAsync(builder)).Message, StringComparison.Ordinal);
        Assert.Equal(BuildKitNodeStatus.Stopped, await builder.StatusAsync());
    }

    [SkippableFact]
    public async Task AContainerThatWasStoppedIsStoppedAgainWhereNobodyWaitsForIt()
    {
        await using var builder = await OnAsync();
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        (await engine.DockerAsync("run", "--detach", "--privileged", "--name", builder.Container, builder.Node.Node.DriverOptions["image"], "--addr", "unix:///elsewhere.sock")).OutputOrThrow();
        (await engine.DockerAsync("kill", builder.Container)).OutputOrThrow();
        using var stop = new CancellationTokenSource();
        var boot = builder.BootAsync(null, stop.Token);
        await UntilItRunsAsync(builder);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => boot);
        Assert.Equal(BuildKitNodeStatus.Stopped, await builder.StatusAsync());
    }

    [SkippableFact]
    public async Task HowLongAContainerRunsDoesNotSayThatItsDaemonAnswers()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        // The Engine's clock is far behind.
        await using var proxy = new RecordingProxy(engine.Address.LocalPath, (_, answer) => System.Text.RegularExpressions.Regex.Replace(answer, "(?<=\"StartedAt\":\")2", "1"));
        await using var builder = (await OnAsync()).With(node => node with { Endpoint = $"tcp://127.0.0.1:{proxy.Port}" });
        (await engine.DockerAsync("run", "--detach", "--name", builder.Container, (await TestEngines.GetAsync(EngineKind.Registry)).BaseImage, "sleep", "600")).OutputOrThrow();
        Assert.Contains("holds no buildctl", (await FailureAsync(builder)).Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AnEngineThatAnswersOnlyWhatIsNeededIsEnough()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        // As behind a proxy that denies all but what a builder needs; the trial for GPUs is the container without a name.
        await using var proxy = new RecordingProxy(engine.Address.LocalPath, (asked, answer) =>
            new[] { "/info ", "/volumes/", "/containers/create " }.Any(asked.Split('\n')[0].Contains)
                ? System.Text.RegularExpressions.Regex.Replace(answer, @"^HTTP/1\.1 \d\d\d [^\r]*", "HTTP/1.1 403 Forbidden")
                : answer);
        await using var builder = (await OnAsync()).With(node => node with { Endpoint = $"tcp://127.0.0.1:{proxy.Port}" });
        await builder.BootAsync();
        Assert.Equal(BuildKitNodeStatus.Running, await builder.StatusAsync());
    }

    private static async Task<ContainerBuilder> OnAsync(params (string Name, string Value)[] options) =>
        await ContainerBuilder.OnAsync(await TestEngines.GetAsync(EngineKind.Docker28Graphdriver), options);

    /// <summary>A daemon that runs, but not where it is looked for.</summary>
    private static async Task<ContainerBuilder> SilentAsync() => (await OnAsync()).With(node => node with { BuildkitdFlags = ["--addr", "unix:///elsewhere.sock"] });

    /// <summary>An image without BuildKit, which runs a command.</summary>
    private static async Task<ContainerBuilder> BusyboxAsync(params string[] command) =>
        (await OnAsync(("image", (await TestEngines.GetAsync(EngineKind.Registry)).BaseImage))).With(node => node with { BuildkitdFlags = command });

    private static async Task<BuildKitException> FailureAsync(ContainerBuilder builder)
    {
        var error = await Assert.ThrowsAnyAsync<BuildKitException>(() => builder.BootAsync());
        Assert.Equal("BuildKit.BuilderBootFailed", error.ErrorId);
        Assert.Contains(builder.Container, error.Message, StringComparison.Ordinal);
        return error;
    }

    private static Task UntilItRunsAsync(ContainerBuilder builder) => Poll.UntilAsync(async () => await builder.StatusAsync() == BuildKitNodeStatus.Running);
}
