using System.Text.Json.Nodes;
using BuildKit.Builders;
using BuildKit.Builders.Drivers;
using BuildKit.Builders.Store;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>docker buildx and this library make the same containers, and use each other's.</summary>
public sealed class BuildxContainerTests
{
    private static readonly (string Name, string Value)[] Options =
        [("network", "host"), ("memory", "1g"), ("cpu-shares", "700"), ("restart-policy", "on-failure:2"), ("env.WORD", "value")];

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task EachUsesWhatTheOtherMade(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var config = new BuildContextDirectory().Write("buildkitd.toml", "debug = true\n").Write("context/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
        await using var ours = (await ContainerBuilder.OnAsync(engine, Options)).With(node => node with
        {
            BuildkitdFlags = ["--allow-insecure-entitlement=network.host"],
            Files = new Dictionary<string, byte[]> { ["buildkitd.toml"] = "debug = true\n"u8.ToArray() },
        });
        await using var theirs = await ContainerBuilder.OnAsync(engine, Options);

        await ours.BootAsync();
        await SaveAsync(config, ours.Node.Node);
        var before = await ours.InspectAsync();
        await BuildxAsync(config, "build", "--builder", ours.Node.Node.Name, "--output", $"type=local,dest={config.At("out")}", config.At("context"));
        Assert.True(File.Exists(config.At("out/Dockerfile")));
        Assert.Equal(before.GetProperty("Id").GetString(), (await ours.InspectAsync()).GetProperty("Id").GetString());

        await BuildxAsync(
            config,
            [
                "create", "--name", theirs.Node.Node.Name, "--node", theirs.Node.Node.Name, "--driver", "docker-container", "--bootstrap", "--buildkitd-config", config.At("buildkitd.toml"),
                .. theirs.Node.Node.DriverOptions.SelectMany(option => new[] { "--driver-opt", $"{option.Key}={option.Value}" }), engine.Address.OriginalString,
            ]);
        var made = await theirs.InspectAsync();
        var target = await new EndpointResolver(name => name == "DOCKER_CONFIG" ? config.Path : null, File.Exists).ResolveBuilderAsync(theirs.Node.Node.Name);
        var node = Assert.Single(target.Nodes);
        await using (var connection = await BuildKitConnection.ConnectAsync(node.Endpoint))
            await ContainerBuilder.BuildAsync(connection, "theirs");
        Assert.Equal(made.GetProperty("Id").GetString(), (await theirs.InspectAsync()).GetProperty("Id").GetString());

        Assert.Equal(Shape(JsonNode.Parse(made.GetRawText())!, theirs), Shape(JsonNode.Parse(before.GetRawText())!, ours));

        await ContainerBuilder.Driver.StopAsync(theirs.Node, default);
        Assert.Contains("stopped", await BuildxAsync(config, "inspect", theirs.Node.Node.Name), StringComparison.Ordinal);
        await BuildxAsync(config, "rm", ours.Node.Node.Name);
        Assert.Empty(await ours.LeftAsync());
        await ContainerBuilder.Driver.RemoveAsync(theirs.Node, keepState: false, default);
        Assert.Empty(await theirs.LeftAsync());
    }

    [SkippableFact]
    public async Task ProcessesThatNeedItAtOnceGetOne()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var config = new BuildContextDirectory();
        await using var builder = await ContainerBuilder.OnAsync(engine);
        await SaveAsync(config, builder.Node.Node);
        // A driver of its own is to another what a process is.
        var ours = Enumerable.Range(0, 4).Select(_ => new DockerContainerDriver().BootAsync(builder.Node, null, default));
        await Task.WhenAll(ours.Append(BuildxAsync(config, "inspect", "--bootstrap", builder.Node.Node.Name))).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.False(await builder.BuildAsync(builder.Container));
    }

    private static async Task SaveAsync(BuildContextDirectory config, BuildKitNode node)
    {
        using var store = await new BuilderStore(config.At("buildx")).LockAsync(default);
        store.Save(new BuildKitBuilder { Name = node.Name, Driver = "docker-container", Nodes = [node] });
    }

    private static async Task<string> BuildxAsync(BuildContextDirectory config, params string[] arguments) =>
        (await CommandResult.RunAsync("env", [$"DOCKER_CONFIG={config.Path}", await TestEngines.GetProgramAsync("buildx"), .. arguments])).OutputOrThrow();

    /// <summary>What the two can differ in.</summary>
    private static string Shape(JsonNode inspected, ContainerBuilder builder)
    {
        var config = inspected["Config"]!.AsObject();
        config.Remove("Hostname"); // the container's id
        // The sequence of variables is that of a map.
        config["Env"] = string.Join(' ', config["Env"]!.AsArray().Select(variable => variable!.GetValue<string>()).Order());
        return $"{inspected["HostConfig"]}\n{config}\n{inspected["Mounts"]!.AsArray().Single()!["Destination"]}".Replace(builder.Container, "CONTAINER", StringComparison.Ordinal);
    }
}
