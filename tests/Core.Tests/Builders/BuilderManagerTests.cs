using System.Text.Json.Nodes;
using BuildKit.Builders;
using BuildKit.Tests.Builders.Drivers;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Builders;

/// <summary>Builders beside buildx itself, in one store.</summary>
public sealed class BuilderManagerTests : IDisposable
{
    private readonly BuilderHome _home = new();

    public void Dispose() => _home.Dispose();

    private static BuilderCreateOptions Remote(string? name, string address = "tcp://127.0.0.1:1") => new() { Name = name, Driver = "remote", Endpoint = address };

    private async Task<BuildKitException> CreateFailsAsync(BuilderCreateOptions options) =>
        await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().CreateAsync(options));

    [SkippableFact]
    public async Task TheListIsThatOfBuildx()
    {
        var buildkitd = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        var tls = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        var docker = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        _home.Environment["DOCKER_HOST"] = docker.Address.OriginalString;
        _home.WriteContext("farm", docker.Address.OriginalString);
        await _home.BuildxAsync("create", "--name", "theirs", "--driver", "remote", "--platform", "linux/riscv64,linux/amd64", buildkitd.Address.OriginalString);
        await _home.Manager().CreateAsync(Remote("ours", tls.Address.OriginalString) with { DriverOptions = Certificates(tls) });
        await _home.Manager().CreateAsync(Remote("pair", buildkitd.Address.OriginalString));
        await _home.Manager().CreateAsync(Remote("pair", tls.Address.OriginalString) with { Append = true, DriverOptions = Certificates(tls), Platforms = ["linux/arm64"], Use = true });

        var expected = (await _home.BuildxListAsync()).Select(builder => Line(
            (string)builder["Name"]!, (string)builder["Driver"]!, (bool)builder["Current"]!,
            builder["Nodes"]!.AsArray().Select(node => NodeLine(
                (string)node!["Name"]!, (string)node["Endpoint"]!, (string)node["Status"]!, (string?)node["Version"], node["Platforms"]!.AsArray().Select(platform => (string)platform!)))));
        var listed = await ListAsync();
        Assert.Equal(expected, listed.Select(builder => Line(
            builder.Name, builder.Driver, builder.IsCurrent,
            builder.Nodes.Select(node => NodeLine(
                node.Name, node.Endpoint, node.Status.ToString().ToLowerInvariant(), node.Version, node.Platforms.Concat(node.WorkerPlatforms).Distinct())))));

        Assert.Equal(["ours", "pair", "theirs", "default", "farm"], listed.Select(builder => builder.Name));
        Assert.True(listed[1].IsCurrent);
        Assert.Equal(["linux/riscv64", "linux/amd64"], listed[2].Nodes[0].Platforms);
        Assert.NotNull(listed[0].LastActivity);
        Assert.True(listed[4].IsDockerContext);

        static string Line(string name, string driver, bool current, IEnumerable<string> nodes) => $"{name} {driver} {current}\n{string.Join('\n', nodes)}";
        static string NodeLine(string name, string endpoint, string status, string? version, IEnumerable<string> platforms) =>
            $"  {name} {endpoint} {status} {version} {string.Join(",", platforms)}";
    }

    [SkippableFact]
    public async Task ANodeThatIsDeadSaysWhyAndHidesNoOther()
    {
        var buildkitd = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        _home.WriteContext("gone", "unix:///nowhere/docker.sock");
        await _home.Manager().CreateAsync(Remote("dead"));
        await _home.Manager().CreateAsync(Remote("alive", buildkitd.Address.OriginalString));
        await File.WriteAllTextAsync(Path.Combine(_home.Store.Directory, "instances", "foreign"), """{ "Name": "foreign", "Driver": "kubernetes", "Nodes": [ { "Name": "f0", "Endpoint": "kubernetes:///f" } ] }""");
        await File.WriteAllTextAsync(Path.Combine(_home.Store.Directory, "instances", "broken"), "{");

        var list = (await ListAsync()).ToDictionary(builder => builder.Name);

        Assert.Equal(BuildKitNodeStatus.Running, list["alive"].Nodes[0].Status);
        Assert.Equal(BuildKitNodeStatus.Error, list["dead"].Nodes[0].Status);
        Assert.Contains("nobody listens on port 1 of 127.0.0.1", list["dead"].Nodes[0].Error, StringComparison.Ordinal);
        Assert.Contains("there is no such socket", list["gone"].Nodes[0].Error, StringComparison.Ordinal);
        Assert.Contains("kubernetes", list["foreign"].Nodes[0].Error, StringComparison.Ordinal);
        Assert.Contains("can't be read", list["broken"].Error, StringComparison.Ordinal);
        Assert.Equal("gone", (await _home.Manager().GetAsync("gone")).Name);

        await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().RemoveAsync(list["foreign"], new()));
        await _home.Manager().RemoveAsync(list["foreign"], new() { KeepDaemon = true });
        Assert.Equal(["alive", "broken", "dead"], _home.Store.Read().ListNames());
    }

    [Fact]
    public async Task ANodeThatDoesNotAnswerIsGivenUp()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var address = $"tcp://{silent.LocalEndpoint}";
        var manager = new BuilderManager(_home.Environment.GetValueOrDefault, _ => false) { StatusTimeout = TimeSpan.FromMilliseconds(300) };
        var builder = await manager.CreateAsync(Remote("silent", address));
        Assert.Equal(BuildKitNodeStatus.Error, builder.Nodes[0].Status);
        Assert.Contains("did not answer within 0.3 s", builder.Nodes[0].Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task ARemoteBuilderWithCertificatesBuilds()
    {
        var tls = await TestEngines.GetAsync(EngineKind.BuildkitdTls);
        await _home.Manager().CreateAsync(Remote("secure", tls.Address.OriginalString) with { DriverOptions = Certificates(tls) });
        using var context = new Solve.BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
        var activity = Path.Combine(_home.Store.Directory, "activity", "secure");
        await File.WriteAllTextAsync(activity, "2020-01-01T00:00:00Z");

        await using var connection = await BuildKitConnection.ConnectAsync(await _home.Resolver().ResolveAsync("secure"));
        var request = new BuildKit.Solve.SolveRequest { Context = context.Path, Outputs = [new() { Type = "local", Destination = context.At("out") }] };
        await BuildKit.Solve.SolveOperation.RunAsync(connection, request, null, default);

        Assert.True(File.Exists(context.At("out/Dockerfile")));
        // The same builder is found by buildx, and both know when it was used.
        Assert.Contains("Status:", await _home.BuildxAsync("inspect", "secure"), StringComparison.Ordinal);
        Assert.InRange((await _home.Manager().GetAsync("secure")).LastActivity!.Value, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
        Assert.Contains((await _home.BuildxListAsync()).Single(builder => (string?)builder["Name"] == "secure")["LastActivity"]!.ToString(), await File.ReadAllTextAsync(activity), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AContainerIsCreatedStartedStoppedAndRemoved()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        _home.Environment["DOCKER_HOST"] = engine.Address.OriginalString;
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(_home.Store.Directory).FullName, "buildkitd.default.toml"), "debug = true\n");
        var manager = _home.Manager();
        var name = "box-" + Guid.NewGuid().ToString("n")[..8];
        try
        {
            var created = await manager.CreateAsync(new() { Name = name, DriverOptions = new Dictionary<string, string> { ["image"] = await BuildKitImage.InRegistryAsync() }, Use = true });
            Assert.Equal(("docker-container", true, true, BuildKitNodeStatus.Inactive), (created.Driver, created.OwnsDaemon, created.IsCurrent, created.Nodes[0].Status));
            Assert.Equal(engine.Address.OriginalString, created.Nodes[0].Endpoint);
            Assert.Equal(["--allow-insecure-entitlement=network.host"], created.Nodes[0].BuildkitdFlags);
            Assert.Equal(["buildkitd.toml"], created.Nodes[0].Files.Keys);
            Assert.Equal("inactive", await BuildxStatusAsync(name));

            var idle = await _home.Resolver().ResolveAsync(name);
            Assert.Equal("BuildKit.BuilderNotRunning", (await Assert.ThrowsAsync<BuildKitException>(() => BuildKitConnection.ConnectAsync(idle.WithoutBoot()))).ErrorId);
            await manager.StartAsync(created);
            Assert.Equal("running", await BuildxStatusAsync(name));
            Assert.Equal(BuildKitNodeStatus.Running, (await manager.InspectAsync(created)).Nodes[0].Status);
            Assert.Equal(name, (await _home.Resolver().ResolveBuilderAsync()).Name);

            await manager.StopAsync(created);
            Assert.Equal("stopped", await BuildxStatusAsync(name));
            Assert.Equal(BuildKitNodeStatus.Stopped, (await manager.InspectAsync(created)).Nodes[0].Status);
            await manager.RemoveAsync(created, new() { KeepState = true });
            Assert.Contains(name, (await engine.DockerAsync("volume", "ls")).OutputOrThrow(), StringComparison.Ordinal);
            Assert.DoesNotContain(name, (await engine.DockerAsync("ps", "-a")).OutputOrThrow(), StringComparison.Ordinal);
            Assert.DoesNotContain(name, _home.Store.Read().ListNames());
        }
        finally
        {
            await engine.DockerAsync("rm", "--force", $"buildx_buildkit_{name}0");
            await engine.DockerAsync("volume", "rm", "--force", $"buildx_buildkit_{name}0_state");
        }
    }

    [SkippableFact]
    public async Task ANodeKeepsItsFlagsWhenItIsChangedAndTakesItsContainerWithIt()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        var name = "trio-" + Guid.NewGuid().ToString("n")[..8];
        string[] contexts = ["first", "second", "third"];
        foreach (var context in contexts)
            _home.WriteContext(context, engine.Address.OriginalString);
        var options = new BuilderCreateOptions { Name = name, Driver = "docker-container" };
        await _home.Manager().CreateAsync(options with { Endpoint = "first", BuildkitdFlags = ["--debug"] });
        await _home.Manager().CreateAsync(options with { Endpoint = "second", Append = true });
        var builder = await _home.Manager().CreateAsync(options with { Endpoint = "third", Append = true });

        var flags = builder.Nodes[0].BuildkitdFlags;
        Assert.Contains("--debug", flags);
        builder = await _home.Manager().CreateAsync(new() { Name = name, NodeName = $"{name}0", DriverOptions = new Dictionary<string, string> { ["network"] = "host" } });
        Assert.Equal(flags, builder.Nodes[0].BuildkitdFlags);
        Assert.Equal("host", builder.Nodes[0].DriverOptions["network"]);

        try
        {
            foreach (var node in builder.Nodes)
                (await engine.DockerAsync("create", "--name", $"buildx_buildkit_{node.Name}", engine.BaseImage, "true")).OutputOrThrow();
            await _home.Manager().RemoveNodeAsync(builder, $"{name}1", new());
            await _home.Manager().RemoveNodeAsync(builder, $"{name}2", new() { KeepDaemon = true });
            Assert.Equal(
                [$"buildx_buildkit_{name}0", $"buildx_buildkit_{name}2"],
                (await engine.DockerAsync("ps", "--all", "--filter", $"name={name}", "--format", "{{.Names}}")).OutputOrThrow().Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        }
        finally
        {
            await engine.DockerAsync(["rm", "--force", .. builder.Nodes.Select(node => $"buildx_buildkit_{node.Name}")]);
        }
    }

    [SkippableFact]
    public async Task AnEngineThatIsGoneLeavesItsBuilderUnlessForced()
    {
        await _home.BuildxAsync("create", "--name", "other", "--driver", "remote", "tcp://127.0.0.1:1");
        var container = new BuilderCreateOptions { Name = "lost", Driver = "docker-container", Endpoint = "unix:///nowhere/docker.sock" };
        var refused = await CreateFailsAsync(container);
        Assert.Equal("BuildKit.NodeUnreachable", refused.ErrorId);
        Assert.Contains("there is no such socket", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["other"], _home.Store.Read().ListNames());

        using (var store = await _home.Store.LockAsync(default))
            store.Save(new() { Name = "lost", Driver = "docker-container", Nodes = [new() { Name = "lost0", Endpoint = "unix:///nowhere/docker.sock" }] });
        var lost = await _home.Manager().GetAsync("lost");
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().RemoveAsync(lost, new()));
        Assert.Equal("BuildKit.SocketNotFound", failure.ErrorId);
        Assert.Contains("-Force", failure.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(["lost", "other"], _home.Store.Read().ListNames());
        Assert.Contains("no such socket", await _home.Manager().RemoveAsync(lost, new() { Force = true }), StringComparison.Ordinal);
        Assert.Equal(["other"], _home.Store.Read().ListNames());
    }

    [SkippableFact]
    public async Task WhatOneRemovesOrUsesIsSeenByTheOther()
    {
        await _home.BuildxAsync("create", "--name", "theirs", "--driver", "remote", "tcp://127.0.0.1:1");
        await _home.Manager().CreateAsync(Remote("ours"));

        await _home.BuildxAsync("use", "ours");
        Assert.True((await _home.Manager().GetAsync("ours")).IsCurrent);
        await _home.Manager().SetCurrentAsync("theirs");
        Assert.Equal("theirs", await BuildxCurrentAsync());
        await _home.Manager().SetCurrentAsync("default");
        Assert.Equal("default", await BuildxCurrentAsync());
        Assert.True((await _home.Manager().GetAsync("default")).IsCurrent);

        await _home.BuildxAsync("rm", "ours");
        Assert.Equal("BuildKit.BuilderNotFound", (await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().GetAsync("ours"))).ErrorId);
        await _home.Manager().RemoveAsync(await _home.Manager().GetAsync("theirs"), new BuilderRemoveOptions());
        Assert.Equal(["default"], (await _home.BuildxListAsync()).Select(builder => (string?)builder["Name"]));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_home.Store.Directory, "activity")));
    }

    [SkippableFact]
    public async Task TheCurrentBuilderBelongsToTheDockerContextInUse()
    {
        _home.WriteContext("farm", "tcp://10.0.0.9:2375");
        await _home.Manager().CreateAsync(Remote("a"));
        await _home.Manager().CreateAsync(Remote("b", "tcp://127.0.0.1:2"));

        foreach (var (variable, value) in new[] { ("DOCKER_HOST", "tcp://h"), ("DOCKER_HOST", "unix:///nowhere.sock"), ("DOCKER_CONTEXT", "farm") })
        {
            _home.Environment[variable] = value;
            await _home.BuildxAsync("use", "a");
            Assert.Equal("a", (await _home.Resolver().ResolveBuilderAsync()).Name);
            await _home.Manager().SetCurrentAsync("b");
            Assert.Equal("b", await BuildxCurrentAsync());
            _home.Environment.Remove(variable);
            Assert.Equal("default", (await _home.Resolver().ResolveBuilderAsync()).Name);
        }

        await _home.Manager().SetCurrentAsync("a", global: true);
        _home.Environment["DOCKER_CONTEXT"] = "farm";
        Assert.Equal("a", await BuildxCurrentAsync());
        Assert.Equal("a", (await _home.Resolver().ResolveBuilderAsync()).Name);
        await _home.Manager().SetCurrentAsync("b", isDefault: true);
        _home.Environment.Remove("DOCKER_CONTEXT");
        await _home.Manager().SetCurrentAsync("default");
        _home.Environment["DOCKER_CONTEXT"] = "farm";
        Assert.Equal("b", (await _home.Resolver().ResolveBuilderAsync()).Name);
        Assert.Equal("b", await BuildxCurrentAsync());

        _home.Environment.Remove("DOCKER_CONTEXT");
        Assert.Equal("BuildKit.BuilderNotStored", (await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().SetCurrentAsync("farm"))).ErrorId);
    }

    [SkippableFact]
    public async Task NodesAreAddedChangedAndRemovedAsBuildxDoes()
    {
        await _home.Manager().CreateAsync(Remote("pair") with { Platforms = ["linux/arm64/v8", "x86_64"] });
        var path = Path.Combine(_home.Store.Directory, "instances", "pair");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        json["Later"] = 1;
        json["Nodes"]![0]!["AlsoLater"] = "x";
        await File.WriteAllTextAsync(path, json.ToJsonString());

        var builder = await _home.Manager().CreateAsync(Remote("pair", "tcp://127.0.0.1:2") with { Append = true, Platforms = ["linux/arm64"] });
        Assert.Equal(["pair0", "pair1"], builder.Nodes.Select(node => node.Name));
        Assert.Equal(["linux/amd64"], builder.Nodes[0].Platforms);
        json = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        Assert.Equal(1, (int)json["Later"]!);
        Assert.Equal("x", (string?)json["Nodes"]![0]!["AlsoLater"]);
        await _home.BuildxAsync("create", "--append", "--name", "pair", "--driver", "remote", "--node", "third", "tcp://127.0.0.1:3");
        builder = await _home.Manager().CreateAsync(new() { Name = "PAIR", NodeName = "third", DriverOptions = new Dictionary<string, string> { ["default-load"] = "true" } });
        Assert.Equal("tcp://127.0.0.1:3", builder.Nodes[2].Endpoint);
        Assert.Contains("default-load=\"true\"", await _home.BuildxAsync("inspect", "pair"), StringComparison.Ordinal);

        await _home.Manager().RemoveNodeAsync(builder, "pair1", new BuilderRemoveOptions());
        await _home.BuildxAsync("create", "--leave", "--name", "pair", "--node", "third");
        builder = await _home.Manager().GetAsync("pair");
        Assert.Equal(["pair0"], builder.Nodes.Select(node => node.Name));
        Assert.Equal("BuildKit.LastNode", (await Assert.ThrowsAsync<BuildKitException>(() => _home.Manager().RemoveNodeAsync(builder, "pair0", new()))).ErrorId);
    }

    [SkippableFact]
    public async Task FiftyBuildersByTenWritersOfBothKindsAreAllThere()
    {
        await TestEngines.GetProgramAsync("buildx");
        var writers = Enumerable.Range(0, 10).Select(async writer =>
        {
            for (var i = 0; i < 5; i++)
            {
                if (writer % 2 == 0)
                    await _home.BuildxAsync("create", "--name", $"w{writer}-{i}", "--driver", "remote", "tcp://127.0.0.1:1");
                else
                    await _home.Manager().CreateAsync(Remote($"w{writer}-{i}"));
            }
            // Each removes what the other kind may have to write around.
            if (writer % 2 == 0)
                await _home.Manager().RemoveAsync(await _home.Manager().GetAsync($"w{writer}-0"), new());
            else
                await _home.BuildxAsync("rm", $"w{writer}-0");
        });
        await Task.WhenAll(writers).WaitAsync(TimeSpan.FromMinutes(3));

        var ours = (await _home.Manager().ListAsync()).Where(builder => !builder.IsDockerContext).ToList();
        Assert.Equal(40, ours.Count(builder => builder.Nodes.Count == 1));
        Assert.Equal(ours.Select(builder => builder.Name), (await _home.BuildxListAsync()).Select(builder => (string)builder["Name"]!).Where(name => name != "default"));
        Assert.DoesNotContain(Directory.EnumerateFiles(_home.Store.Directory, "*", SearchOption.AllDirectories), file => file.Contains(".tmp-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatCannotBeCreatedIsRefusedInWords()
    {
        _home.WriteContext("farm", "tcp://10.0.0.9:2375");
        await _home.Manager().CreateAsync(Remote("there"));
        foreach (var (options, id) in new[]
        {
            (Remote("1x"), "BuildKit.BuilderNameInvalid"),
            (Remote("default"), "BuildKit.BuilderNameTaken"),
            (Remote("farm"), "BuildKit.BuilderNameTaken"),
            (Remote("there"), "BuildKit.BuilderExists"),
            (Remote("There") with { NodeName = "none" }, "BuildKit.NodeNotFound"),
            (Remote("there") with { Driver = "docker-container", Append = true }, "BuildKit.BuilderExists"),
            (Remote("there") with { Append = true }, "BuildKit.EndpointTaken"),
            (Remote("absent") with { Append = true }, "BuildKit.BuilderNotFound"),
            (Remote(null) with { Append = true }, "BuildKit.BuilderNameMissing"),
            (Remote("x") with { Endpoint = null }, "BuildKit.EndpointMissing"),
            (Remote("x", "ftp://h"), "BuildKit.UnsupportedEndpoint"),
            (Remote("x") with { Platforms = ["what"] }, "BuildKit.InvalidPlatform"),
            (Remote("x") with { Driver = "docker" }, "BuildKit.DriverNotCreatable"),
            (Remote("x") with { Driver = "kubernetes" }, "BuildKit.DriverNotFound"),
            (Remote("x") with { BuildkitdFlags = ["--debug"] }, "BuildKit.InvalidDriverOption"),
            (Remote("x") with { BuildkitdFlags = ["'--debug"] }, "BuildKit.InvalidBuildkitdFlag"),
            (new BuilderCreateOptions { Name = "x", Endpoint = "nowhere" }, "BuildKit.DockerContextNotFound"),
        })
            Assert.Equal(id, (await CreateFailsAsync(options)).ErrorId);
        Assert.Equal(["there"], _home.Store.Read().ListNames());
    }

    [Fact]
    public async Task OptionsOfARemoteBuilderAreChecked()
    {
        var file = Path.Combine(_home.Config.Directory, "pem");
        await File.WriteAllTextAsync(file, "hunter2");
        foreach (var (options, part) in new (string Options, string Part)[]
        {
            ("cacert=ca.pem", "no absolute path"), ($"cacert={file}.not", "there is no file"), ($"cert={file};key={file}", "TLS needs it"), ("servername=h", "TLS needs it"),
            ($"cacert={file};key={file}", "needed together"), ("default-load=maybe", "neither true nor false"), ("cacrt=x", "Did you mean 'cacert'?"),
        })
        {
            var error = await CreateFailsAsync(Remote("x") with { DriverOptions = options.Split(';').Select(option => option.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]) });
            Assert.Equal("BuildKit.InvalidDriverOption", error.ErrorId);
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task WithoutADriverAnAddressIsARemoteBuilder()
    {
        Assert.Equal("remote", (await _home.Manager().CreateAsync(new() { Name = "a", Endpoint = "tcp://127.0.0.1:1" })).Driver);
        _home.Environment["BUILDKIT_HOST"] = "tcp://127.0.0.1:2";
        var made = await _home.Manager().CreateAsync(new());
        Assert.Equal(("remote", "tcp://127.0.0.1:2", made.Name + "0"), (made.Driver, made.Nodes[0].Endpoint, made.Nodes[0].Name));
        Assert.NotEqual(made.Name, (await _home.Manager().CreateAsync(new())).Name);
    }

    [Fact]
    public async Task ADockerContextIsNeitherStoppedNorRemoved()
    {
        var manager = _home.Manager();
        var context = await manager.GetAsync("default");
        Assert.Equal("BuildKit.BuilderNotStoppable", (await Assert.ThrowsAsync<BuildKitException>(() => manager.StopAsync(context))).ErrorId);
        Assert.Equal("BuildKit.BuilderNotStored", (await Assert.ThrowsAsync<BuildKitException>(() => manager.RemoveAsync(context, new()))).ErrorId);
        var remote = await manager.CreateAsync(Remote("r"));
        Assert.Equal("BuildKit.BuilderNotStoppable", (await Assert.ThrowsAsync<BuildKitException>(() => manager.StopAsync(remote))).ErrorId);
        Assert.Equal("BuildKit.ConnectionRefused", (await Assert.ThrowsAnyAsync<BuildKitException>(() => manager.StartAsync(remote))).ErrorId);
    }

    private static Dictionary<string, string> Certificates(TestEngine tls) => new()
    {
        ["cacert"] = tls.CaCertificatePath,
        ["cert"] = tls.ClientCertificatePath,
        ["key"] = tls.ClientKeyPath,
    };

    private async Task<IReadOnlyList<BuildKitBuilder>> ListAsync() =>
        await Task.WhenAll((await _home.Manager().ListAsync()).Select(builder => _home.Manager().InspectAsync(builder)));

    private async Task<string> BuildxStatusAsync(string name) =>
        (string)(await _home.BuildxListAsync()).Single(builder => (string?)builder["Name"] == name)["Nodes"]![0]!["Status"]!;

    private async Task<string> BuildxCurrentAsync() => (string)(await _home.BuildxListAsync()).Single(builder => (bool)builder["Current"]!)["Name"]!;
}
