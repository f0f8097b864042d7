using System.Text.RegularExpressions;
using BuildKit.Builders;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>A docker-container builder from nothing to gone, on both image stores, its image really pulled.</summary>
public sealed class DockerContainerDriverTests
{
    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task ABuilderLivesAndGoes(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        await using var builder = await ContainerBuilder.OnAsync(engine);
        var driver = ContainerBuilder.Driver;
        var log = new Recorder<BuilderBootEvent>();
        Assert.Equal(BuildKitNodeStatus.Inactive, await builder.StatusAsync());

        await using (var connection = await builder.ConnectAsync(log))
            Assert.False(await ContainerBuilder.BuildAsync(connection, builder.Container));
        Assert.Equal(BuildKitNodeStatus.Running, await builder.StatusAsync());
        Assert.Equal(
            [$"pulling image {builder.Node.Node.DriverOptions["image"]}", $"creating container {builder.Container}"],
            log.Events.Where(step => step.IsCompleted).Select(step => step.Step));
        Assert.All(log.Events, step => Assert.Null(step.Error));

        await driver.StopAsync(builder.Node, default);
        await driver.StopAsync(builder.Node, default);
        Assert.Equal(BuildKitNodeStatus.Stopped, await builder.StatusAsync());
        Assert.True(await builder.BuildAsync(builder.Container)); // starts it

        await driver.RemoveAsync(builder.Node, keepState: true, default);
        Assert.Equal([$"volume {builder.Container}_state"], await builder.LeftAsync());
        Assert.True(await builder.BuildAsync(builder.Container)); // makes it anew

        await driver.RemoveAsync(builder.Node, keepState: false, default);
        await driver.RemoveAsync(builder.Node, keepState: false, default);
        Assert.Empty(await builder.LeftAsync());
    }

    [SkippableFact]
    public async Task TwentyWhoNeedItAtOnceGetOne()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        await using var builder = await ContainerBuilder.OnAsync(engine);
        var logs = Enumerable.Range(0, 20).Select(_ => new Recorder<BuilderBootEvent>()).ToList();
        var connections = await Task.WhenAll(logs.Select(log => builder.ConnectAsync(log)));
        foreach (var connection in connections)
            await connection.DisposeAsync();
        Assert.All(logs, log => Assert.Single(log.Events, step => step.IsCompleted && step.Step.StartsWith("creating", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public async Task EveryRequestCarriesTheHeadersOfTheDockerConfig()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var proxy = new RecordingProxy(engine.Address.LocalPath);
        await using var builder = await ContainerBuilder.OnAsync(engine);
        builder.Node = builder.Node with
        {
            FindEngine = (_, _) => Task.FromResult(BuildKitEndpoint.Parse($"tcp://127.0.0.1:{proxy.Port}") with { HttpHeaders = new Dictionary<string, string> { ["X-Word"] = "said" } }),
        };
        Assert.False(await builder.BuildAsync(builder.Container));
        await ContainerBuilder.Driver.RemoveAsync(builder.Node, keepState: false, default);
        var sent = proxy.Sent;
        Assert.Contains("/containers/create?", sent, StringComparison.Ordinal);
        Assert.Equal(Regex.Count(sent, @" /\S+ HTTP/1\.1\r\n"), Regex.Count(sent, @"\r\nX-Word: said\r\n"));
    }

    [SkippableFact]
    public async Task FilesArriveBeforeTheDaemonReadsThem()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var builder = (await ContainerBuilder.OnAsync(engine)).With(node => node with
        {
            BuildkitdFlags = ["--allow-insecure-entitlement=network.host"],
            Files = new Dictionary<string, byte[]>
            {
                ["buildkitd.toml"] = "[worker.oci]\n  [worker.oci.labels]\n    word = \"read\"\n"u8.ToArray(),
                ["certs/my.registry_5000/ca.pem"] = "certificate"u8.ToArray(),
            },
        });
        await using var connection = await builder.ConnectAsync();
        Assert.Contains(await connection.GetWorkersAsync(), worker => worker.Labels.GetValueOrDefault("word") == "read");
        Assert.Equal("certificate", (await builder.ExecAsync("cat", "/etc/buildkit/certs/my.registry_5000/ca.pem")).OutputOrThrow());
        Assert.Equal("755 644", (await builder.ExecAsync("sh", "-c", "echo $(stat -c %a /etc/buildkit/certs /etc/buildkit/buildkitd.toml)")).OutputOrThrow());
        Assert.Equal(
            ["--config", "/etc/buildkit/buildkitd.toml", "--allow-insecure-entitlement=network.host"],
            (await builder.InspectAsync()).GetProperty("Config").GetProperty("Cmd").EnumerateArray().Select(word => word.GetString()!));
    }

    [SkippableFact]
    public async Task OptionsAreSeenByDockerInspect()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var builder = await ContainerBuilder.OnAsync(
            engine, ("network", "host"), ("memory", "512m"), ("memory-swap", "1g"), ("cpu-period", "100000"), ("cpu-quota", "50000"), ("cpu-shares", "512"),
            ("cpuset-cpus", "0"), ("cpuset-mems", "0"), ("cgroup-parent", "/docker/elsewhere"), ("restart-policy", "on-failure:3"), ("env.WORD", "a=b"), ("default-load", "true"));
        await builder.BootAsync();
        var inspected = await builder.InspectAsync();
        var host = inspected.GetProperty("HostConfig");
        Assert.Equal(
            "host, 536870912, 1073741824, 100000, 50000, 512, 0, 0, /docker/elsewhere, True, True",
            string.Join(", ", new[] { "NetworkMode", "Memory", "MemorySwap", "CpuPeriod", "CpuQuota", "CpuShares", "CpusetCpus", "CpusetMems", "CgroupParent", "Privileged", "Init" }
                .Select(name => host.GetProperty(name).ToString())));
        Assert.Equal("on-failure", host.GetProperty("RestartPolicy").GetProperty("Name").GetString());
        Assert.Equal(3, host.GetProperty("RestartPolicy").GetProperty("MaximumRetryCount").GetInt32());
        Assert.Contains("WORD=a=b", inspected.GetProperty("Config").GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()));
    }
}
