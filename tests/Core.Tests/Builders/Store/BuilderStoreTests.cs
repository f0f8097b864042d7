using System.Text.Json.Nodes;
using BuildKit.Builders;
using BuildKit.Builders.Store;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Builders.Store;

/// <summary>buildx's store, beside buildx itself.</summary>
public sealed class BuilderStoreTests : IDisposable
{
    private readonly BuilderHome _home = new();
    private readonly BuilderStore _store;

    public BuilderStoreTests() => _store = _home.Store;

    public void Dispose() => _home.Dispose();

    private Task<string> BuildxAsync(params string[] arguments) => _home.BuildxAsync(arguments);

    private static BuildKitBuilder Remote(string name) => new()
    {
        Name = name,
        Driver = "remote",
        Nodes =
        [
            new BuildKitNode
            {
                Name = name.ToLowerInvariant() + "0",
                Endpoint = "tcp://127.0.0.1:1",
                Platforms = ["linux/amd64", "linux/arm/v7"],
                DriverOptions = new Dictionary<string, string> { ["default-load"] = "true" },
            },
        ],
    };

    [SkippableFact]
    public async Task BuildxListsWhatWeSave()
    {
        using (var store = await _store.LockAsync(default))
        {
            store.Save(Remote("Ours"));
            store.SetCurrent("unix:///var/run/docker.sock", "ours", global: false, isDefault: false);
        }
        var listed = await BuildxAsync("ls", "--format", "{{.Name}} {{.DriverEndpoint}} {{.Platforms}}");
        Assert.Contains("ours", listed, StringComparison.Ordinal);
        Assert.Contains("ours0", listed, StringComparison.Ordinal);
        var inspected = await BuildxAsync("inspect", "ours");
        Assert.Contains("default-load=\"true\"", inspected, StringComparison.Ordinal);
        Assert.Contains("linux/arm/v7", inspected, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task WeReadWhatBuildxWritesAndKeepWhatWeDoNotKnow()
    {
        await BuildxAsync("create", "--name", "theirs", "--driver", "remote", "--platform", "linux/arm64", "--driver-opt", "default-load=true", "--use", "tcp://127.0.0.1:1");
        var path = Path.Combine(_store.Directory, "instances", "theirs");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(path))!.AsObject();
        json["Later"] = new JsonObject { ["a"] = 1 };
        json["Nodes"]![0]!["AlsoLater"] = "x";
        await File.WriteAllTextAsync(path, json.ToJsonString());

        using (var store = await _store.LockAsync(default))
        {
            var builder = store.Find("THEIRS")!;
            Assert.Equal(("theirs", "remote"), (builder.Name, builder.Driver));
            var node = Assert.Single(builder.Nodes);
            Assert.Equal(("theirs0", "tcp://127.0.0.1:1"), (node.Name, node.Endpoint));
            Assert.Equal(["linux/arm64"], node.Platforms);
            Assert.Equal("true", node.DriverOptions["default-load"]);
            Assert.InRange(builder.LastActivity!.Value, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
            Assert.Equal("theirs", store.Current("unix:///var/run/docker.sock")?.Name);
            store.Save(builder with { Nodes = [node with { Platforms = ["linux/arm64", "linux/s390x"] }] });
        }

        var written = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        Assert.Equal(1, (int)written["Later"]!["a"]!);
        Assert.Equal("x", (string?)written["Nodes"]![0]!["AlsoLater"]);
        Assert.Contains("linux/s390x", await BuildxAsync("inspect", "theirs"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task WhatOneRemovesIsGoneForTheOther()
    {
        await BuildxAsync("create", "--name", "a", "--driver", "remote", "tcp://127.0.0.1:1");
        using (var store = await _store.LockAsync(default))
        {
            store.Remove("a");
            store.Save(Remote("b"));
            Assert.Equal(["b"], store.ListNames());
        }
        await BuildxAsync("rm", "b");
        using (var store = await _store.LockAsync(default))
            Assert.Empty(store.ListNames());
    }

    [SkippableTheory]
    [InlineData("remote", false)]
    [InlineData("remote", true)]
    [InlineData("docker-container", false)]
    public async Task ABuilderOfBuildxIsReachedByItsName(string driver, bool byVariable)
    {
        var engine = await TestEngines.GetAsync(driver == "remote" ? EngineKind.BuildkitdUnix : EngineKind.Docker28Graphdriver);
        var name = "named-" + Guid.NewGuid().ToString("n")[..6];
        await BuildxAsync("create", "--name", name, "--driver", driver, engine.Address.OriginalString);
        var container = driver == "remote" ? null : await BuildKitContainer.StartAsync(engine, $"buildx_buildkit_{name}0");
        try
        {
            _home.Environment["BUILDKIT_HOST"] = "unix:///nowhere.sock";
            if (byVariable)
                _home.Environment["BUILDX_BUILDER"] = name;
            var resolver = _home.Resolver();

            var endpoint = await resolver.ResolveAsync(byVariable ? null : name);
            await using var connection = await BuildKitConnection.ConnectAsync(endpoint);

            Assert.Equal(name, connection.Name);
            Assert.Equal(BuildKitServerKind.Buildkitd, connection.Kind);
            Assert.Contains(name, endpoint.Source, StringComparison.Ordinal);
            Assert.Contains(name, await resolver.ListNamesAsync());
        }
        finally
        {
            if (container is not null)
                await container.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task AStoreThatThisUserMayNotReadIsNotTakenForAnEmptyOne()
    {
        using (var store = await _store.LockAsync(default))
        {
            store.Save(Remote("mine"));
            store.SetCurrent("far", "mine", global: false, isDefault: true);
        }
        AsNobody.Run(() =>
        {
            var reader = _store.Read();
            foreach (var read in new Func<object?>[] { reader.ListNames, () => reader.Find("mine"), () => reader.Current("far") })
                Assert.Equal("BuildKit.BuilderStoreUnreadable", Assert.Throws<BuildKitException>(read).ErrorId);
            Assert.Null(reader.LastActivity("mine"));
        });
    }

    [Fact]
    public async Task TwoNodesOfOneNameCanBeReadAndWritten()
    {
        using var store = await _store.LockAsync(default);
        await File.WriteAllTextAsync(
            Path.Combine(_store.Directory, "instances", "x"), """{ "Name": "x", "Driver": "remote", "Nodes": [ { "Name": "a", "Endpoint": "tcp://h:1" }, { "Name": "a", "Endpoint": "tcp://h:2" } ] }""");
        store.Save(store.Find("x")!);
        Assert.Equal(["tcp://h:1", "tcp://h:2"], store.Find("x")!.Nodes.Select(node => node.Endpoint));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{ "Name": "x", "Driver": "remote", "Nodes": [ null ] }""")]
    [InlineData("""{ "Name": "x", "Driver": 5, "Nodes": [] }""")]
    [InlineData("""{ "Name": "x", "Driver": "remote", "Driver": "remote", "Nodes": [] }""")]
    [InlineData("""{ "Name": "x", "Driver": "remote", "Nodes": [ { "Name": "x0", "Name": "x0" } ] }""")]
    public async Task AFileThatIsNoBuilderIsNamed(string text)
    {
        using var store = await _store.LockAsync(default);
        var path = Path.Combine(_store.Directory, "instances", "x");
        await File.WriteAllTextAsync(path, text);
        var error = Assert.Throws<BuildKitException>(() => store.Find("x"));
        Assert.Equal("BuildKit.BuilderInvalid", error.ErrorId);
        Assert.Equal(path, error.Target);
    }
}
