using BuildKit.Builders;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Builders;

/// <summary>Builders that are broken, unreachable, an address, or in an environment that does not fit.</summary>
public sealed class UnusualBuilderTests : IDisposable
{
    private readonly BuilderHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task ABuilderThatCannotBeReadIsOnlyListedAndForgotten()
    {
        await _home.Manager().CreateAsync(Remote("good"));
        var instances = Path.Combine(_home.Store.Directory, "instances");
        await File.WriteAllTextAsync(Path.Combine(instances, "broken"), """{ "Name": "broken", "Nodes": [], "Nodes": [] }""");
        // Rights do not stop root; a link to itself does.
        File.CreateSymbolicLink(Path.Combine(instances, "locked"), "locked");

        var list = (await _home.Manager().ListAsync()).ToDictionary(builder => builder.Name);

        Assert.Equal(["broken", "default", "good", "locked"], list.Keys.Order());
        Assert.Null(list["good"].Error);
        foreach (var name in new[] { "broken", "locked" })
        {
            Assert.Contains("can't be read", list[name].Error, StringComparison.Ordinal);
            Assert.False(list[name].IsInactive);
            Assert.Equal("BuildKit.BuilderInvalid", (await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().StartAsync(list[name]))).ErrorId);
            Assert.Equal("BuildKit.BuilderInvalid", (await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().StopAsync(list[name]))).ErrorId);
            Assert.Contains("is not known", await _home.Manager().RemoveAsync(list[name], new()), StringComparison.Ordinal);
        }
        Assert.Equal(["good"], _home.Store.Read().ListNames());
    }

    [Theory]
    [InlineData("docker-container", BuildKitNodeStatus.Inactive, true)]
    [InlineData("docker-container", BuildKitNodeStatus.Stopped, true)]
    [InlineData("docker-container", BuildKitNodeStatus.Error, false)]
    [InlineData("docker-container", BuildKitNodeStatus.Starting, false)]
    [InlineData("docker-container", BuildKitNodeStatus.Stopping, false)]
    [InlineData("docker-container", BuildKitNodeStatus.Running, false)]
    [InlineData("docker-container", BuildKitNodeStatus.Unknown, false)]
    [InlineData("kubernetes", BuildKitNodeStatus.Error, false)]
    [InlineData("remote", BuildKitNodeStatus.Error, true)]
    [InlineData("remote", BuildKitNodeStatus.Running, false)]
    public void OnlyWhatIsKnownNotToRunIsInactive(string driver, BuildKitNodeStatus status, bool isInactive)
    {
        BuildKitNode node = new() { Name = "a", Endpoint = "x", Status = status };
        Assert.Equal(isInactive, new BuildKitBuilder { Name = "b", Driver = driver, Nodes = [node with { Status = BuildKitNodeStatus.Stopped }, node] }.IsInactive);
    }

    [Fact]
    public async Task AnAddressOrWhatCannotBeReachedCanBeTheOneInUse()
    {
        var builder = await _home.Manager("tcp://127.0.0.1:9").GetAsync(null);
        Assert.Equal(("tcp://127.0.0.1:9", true, "tcp://127.0.0.1:9"), (builder.Name, builder.IsCurrent, Assert.Single(builder.Nodes).Endpoint));
        Assert.Equal("BuildKit.BuilderNotStoppable", (await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().StopAsync(builder))).ErrorId);
        Assert.Equal(BuildKitNodeStatus.Error, (await _home.Manager().InspectAsync(builder)).Nodes[0].Status);
        Assert.Equal("BuildKit.BuilderNotStored", (await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().SetCurrentAsync("tcp://127.0.0.1:9"))).ErrorId);

        using (var store = await _home.Store.LockAsync(default))
            store.Save(new() { Name = "pods", Driver = "kubernetes", Nodes = [new() { Name = "p0", Endpoint = "kubernetes:///p" }] });
        await _home.Manager().SetCurrentAsync("pods");
        Assert.Equal(("pods", true), (await _home.Manager().GetAsync(null) is var current ? current.Name : "", current.IsCurrent));
        Assert.Equal("pods", (await _home.Manager().ListAsync()).Single(listed => listed.IsCurrent).Name);
    }

    [Fact]
    public async Task ABuilderThatCannotBecomeTheCurrentOneIsNotStored()
    {
        _home.Environment["DOCKER_HOST"] = "nonsense";
        Assert.Equal("BuildKit.InvalidEndpoint", (await CreateFailsAsync(Remote("x") with { Use = true })).ErrorId);
        Assert.Empty(_home.Store.Read().ListNames());
    }

    [SkippableFact]
    public async Task TlsOfTheEnvironmentDoesNotMatterToASocket()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        var container = new BuilderCreateOptions { Name = "box", Driver = "docker-container" };
        _home.Environment["DOCKER_TLS_VERIFY"] = "1";
        _home.Environment["DOCKER_HOST"] = "tcp://127.0.0.1:1";
        Assert.Equal("BuildKit.EndpointHasTls", (await CreateFailsAsync(container)).ErrorId);
        _home.Environment["DOCKER_HOST"] = engine.Address.OriginalString;
        Assert.Equal(engine.Address.OriginalString, (await _home.Manager().CreateAsync(container)).Nodes[0].Endpoint);
    }

    [SkippableFact]
    public async Task AnEngineBefore23TellsNoVersionOfBuildKit()
    {
        _home.Environment["DOCKER_HOST"] = (await TestEngines.GetAsync(EngineKind.Docker20)).Address.OriginalString;
        var node = Assert.Single((await _home.Manager().InspectAsync(await _home.Manager().GetAsync(null))).Nodes);
        Assert.Equal((BuildKitNodeStatus.Running, null), (node.Status, node.Version));
    }

    private static BuilderCreateOptions Remote(string name) => new() { Name = name, Driver = "remote", Endpoint = "tcp://127.0.0.1:1" };

    private async Task<BuildKitException> CreateFailsAsync(BuilderCreateOptions options) =>
        await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().CreateAsync(options));
}
