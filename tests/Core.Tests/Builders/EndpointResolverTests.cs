using BuildKit.Builders;
using BuildKit.Builders.Store;
using BuildKit.Tests.Docker;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Builders;

public sealed class EndpointResolverTests : IDisposable
{
    private readonly TestDockerConfig _config = new();
    private readonly Dictionary<string, string> _environment;
    private readonly HashSet<string> _files = [];

    public EndpointResolverTests()
    {
        _environment = new Dictionary<string, string> { ["DOCKER_CONFIG"] = _config.Directory };
        _config.WriteContext("far", """{"Name":"far","Endpoints":{"docker":{"Host":"tcp://10.0.0.2:2376"}}}""");
    }

    public void Dispose() => _config.Dispose();

    [Fact]
    public async Task The_first_setting_wins()
    {
        _environment["BUILDKIT_HOST"] = "tcp://127.0.0.1:1";
        _environment["DOCKER_HOST"] = "tcp://127.0.0.1:2";
        _environment["DOCKER_CONTEXT"] = "far";
        _config.WriteConfig("""{ "currentContext": "far" }""");

        var named = await ResolveAsync("tcp://127.0.0.1:3");
        Assert.Equal(("tcp://127.0.0.1:3", null, "tcp://127.0.0.1:3"), (named.Address, named.Source, named.Name));
        Assert.Equal(("tcp://10.0.0.2:2376", "docker context 'far'", "far"), Seen(await ResolveAsync("far")));

        Assert.Equal(("tcp://127.0.0.1:1", "$env:BUILDKIT_HOST", "tcp://127.0.0.1:1"), Seen(await ResolveAsync()));
        _environment["BUILDKIT_HOST"] = "";
        Assert.Equal(("tcp://127.0.0.1:2", "$env:DOCKER_HOST", "default"), Seen(await ResolveAsync()));
        Assert.Equal(("tcp://127.0.0.1:2", "$env:DOCKER_HOST", "default"), Seen(await ResolveAsync("default")));
        _environment.Remove("DOCKER_HOST");
        Assert.Equal(("tcp://10.0.0.2:2376", "docker context 'far', $env:DOCKER_CONTEXT", "far"), Seen(await ResolveAsync()));
        _environment.Remove("DOCKER_CONTEXT");
        Assert.Equal(
            ("tcp://10.0.0.2:2376", $"docker context 'far', currentContext in {Path.Combine(_config.Directory, "config.json")}", "far"), Seen(await ResolveAsync()));
        _config.WriteConfig("""{ "currentContext": "default" }""");
        Assert.Equal(("unix:///var/run/docker.sock", "default", "default"), Seen(await ResolveAsync()));
    }

    [Fact]
    public async Task Settings_of_builders_win_in_their_order()
    {
        var store = new BuilderStore(Path.Combine(_config.Directory, "buildx"));
        using (var locked = await store.LockAsync(default))
        {
            foreach (var (name, port) in new[] { ("session", 1), ("variable", 2), ("chosen", 3) })
                locked.Save(new() { Name = name, Driver = "remote", Nodes = [new() { Name = name + "0", Endpoint = $"tcp://127.0.0.1:{port}" }] });
            locked.SetCurrent("far", "chosen", global: false, isDefault: false);
        }
        _environment["BUILDX_BUILDER"] = "variable";
        _environment["BUILDKIT_HOST"] = "tcp://127.0.0.1:4";
        _environment["DOCKER_CONTEXT"] = "far";

        Assert.Equal(("tcp://127.0.0.1:3", "builder 'chosen'", "chosen"), Seen(await ResolveAsync("Chosen")));
        Assert.Equal(("tcp://127.0.0.1:1", "builder 'session', Use-BuildKitBuilder", "session"), Seen(await ResolveAsync(null, "session")));
        Assert.Equal(("tcp://127.0.0.1:9", "Use-BuildKitBuilder", "tcp://127.0.0.1:9"), Seen(await ResolveAsync(null, "tcp://127.0.0.1:9")));
        Assert.Equal(("tcp://10.0.0.2:2376", "docker context 'far', Use-BuildKitBuilder", "far"), Seen(await ResolveAsync(null, "far")));
        Assert.Equal(("tcp://127.0.0.1:2", "builder 'variable', $env:BUILDX_BUILDER", "variable"), Seen(await ResolveAsync()));
        _environment.Remove("BUILDX_BUILDER");
        Assert.Equal(("tcp://127.0.0.1:4", "$env:BUILDKIT_HOST", "tcp://127.0.0.1:4"), Seen(await ResolveAsync()));
        _environment.Remove("BUILDKIT_HOST");
        Assert.Equal(("tcp://127.0.0.1:3", $"builder 'chosen', current in {store.Directory}", "chosen"), Seen(await ResolveAsync()));
        Assert.Equal(("tcp://10.0.0.2:2376", "docker context 'far', $env:DOCKER_CONTEXT", "far"), Seen(await ResolveEngineAsync()));
        _environment["DOCKER_HOST"] = "tcp://127.0.0.1:5";
        Assert.Equal(("tcp://127.0.0.1:5", "$env:DOCKER_HOST", "default"), Seen(await ResolveAsync()));
    }

    [Fact]
    public async Task All_nodes_of_a_builder_are_found()
    {
        using (var locked = await new BuilderStore(Path.Combine(_config.Directory, "buildx")).LockAsync(default))
        {
            BuildKitNode[] nodes = [new() { Name = "p0", Endpoint = "tcp://127.0.0.1:1" }, new() { Name = "p1", Endpoint = "tcp://127.0.0.1:2", Platforms = ["linux/arm64"] }];
            locked.Save(new() { Name = "p", Driver = "remote", Nodes = nodes });
            locked.Save(new() { Name = "empty", Driver = "remote" });
            locked.Save(new() { Name = "pods", Driver = "kubernetes", Nodes = [nodes[0]] });
        }
        var target = await new EndpointResolver(_environment.GetValueOrDefault, _files.Contains).ResolveBuilderAsync("p");
        Assert.Equal(["tcp://127.0.0.1:1", "tcp://127.0.0.1:2"], target.Nodes.Select(node => node.Endpoint.Address));
        Assert.Equal(["linux/arm64"], target.Nodes[1].Node!.Platforms);
        foreach (var name in new[] { "empty", "pods" })
            Assert.Equal("BuildKit.BuilderNotSupported", (await Assert.ThrowsAsync<BuildKitException>(() => ResolveAsync(name))).ErrorId);
    }

    [Fact]
    public async Task An_unknown_name_is_told_with_those_that_are_known()
    {
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => ResolveAsync("fra"));
        Assert.Equal("BuildKit.BuilderNotFound", failure.ErrorId);
        Assert.Contains("Did you mean 'far'?", failure.Message, StringComparison.Ordinal);
        Assert.Contains("default, far", failure.RecommendedAction, StringComparison.Ordinal);
        _environment["BUILDX_BUILDER"] = "zzzzzz";
        failure = await Assert.ThrowsAsync<BuildKitException>(() => ResolveAsync());
        Assert.Contains("It was chosen by $env:BUILDX_BUILDER", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_stops_only_who_needs_it()
    {
        // Rights do not stop root; a folder in the place of a file does.
        Directory.CreateDirectory(Path.Combine(_config.Directory, "buildx"));
        await File.WriteAllTextAsync(Path.Combine(_config.Directory, "buildx", "instances"), "");
        File.CreateSymbolicLink(Path.Combine(_config.Directory, "buildx", "current"), "current");

        Assert.Equal("BuildKit.BuilderStoreUnreadable", (await Assert.ThrowsAsync<BuildKitException>(() => ResolveAsync())).ErrorId);
        Assert.Equal("tcp://127.0.0.1:3", (await ResolveAsync("tcp://127.0.0.1:3")).Address);
        Assert.Equal("tcp://10.0.0.2:2376", (await ResolveAsync("far")).Address);
        _environment["DOCKER_CONTEXT"] = "far";
        Assert.Equal("tcp://10.0.0.2:2376", (await ResolveAsync()).Address);
    }

    [Fact]
    public async Task A_store_whose_folder_cannot_be_opened_is_not_an_empty_one()
    {
        File.CreateSymbolicLink(Path.Combine(_config.Directory, "buildx"), "buildx");
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => ResolveAsync());
        Assert.Equal("BuildKit.BuilderStoreUnreadable", failure.ErrorId);
        _environment["DOCKER_CONTEXT"] = "far";
        Assert.Equal("tcp://10.0.0.2:2376", (await ResolveAsync()).Address);
    }

    [Fact]
    public async Task A_node_that_cannot_be_found_leaves_the_others()
    {
        BuildKitNode lost = new() { Name = "p0", Builder = "p", Endpoint = "gone" }, there = new() { Name = "p1", Builder = "p", Endpoint = "far" };
        using (var locked = await new BuilderStore(Path.Combine(_config.Directory, "buildx")).LockAsync(default))
        {
            locked.Save(new() { Name = "p", Driver = "docker-container", Nodes = [lost, there] });
            locked.Save(new() { Name = "alone", Driver = "docker-container", Nodes = [lost] });
        }
        _environment["BUILDX_BUILDER"] = "p";
        var resolver = new EndpointResolver(_environment.GetValueOrDefault, _files.Contains);

        var target = await resolver.ResolveBuilderAsync();
        Assert.Equal("p1", Assert.Single(target.Nodes).Endpoint.Node);
        var failure = Assert.Single(target.Unavailable);
        Assert.Equal(("BuildKit.DockerContextNotFound", "p0"), (failure.ErrorId, failure.Node));
        Assert.StartsWith("Node 'p0': ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("It was chosen by builder 'p', $env:BUILDX_BUILDER", failure.Message, StringComparison.Ordinal);

        Assert.Equal("p1", Assert.Single((await resolver.ResolveNodeAsync(there)).Nodes).Node!.Name);
        Assert.Equal("BuildKit.DockerContextNotFound", (await Assert.ThrowsAsync<BuildKitException>(() => resolver.ResolveNodeAsync(lost))).ErrorId);
        failure = await Assert.ThrowsAsync<BuildKitException>(() => resolver.ResolveBuilderAsync("alone"));
        Assert.Equal("BuildKit.DockerContextNotFound", failure.ErrorId);
        Assert.Contains("builder 'alone'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_chosen_is_told_whether_it_can_be_used_or_not()
    {
        using (var locked = await new BuilderStore(Path.Combine(_config.Directory, "buildx")).LockAsync(default))
        {
            locked.Save(new() { Name = "pods", Driver = "kubernetes", Nodes = [new() { Name = "p0", Endpoint = "kubernetes:///p" }] });
            locked.SetCurrent("far", "pods", global: false, isDefault: false);
        }
        Assert.Equal(new("default", null, false), await ChoiceAsync());
        _environment["DOCKER_CONTEXT"] = "gone";
        Assert.Equal(new("gone", "$env:DOCKER_CONTEXT", false), await ChoiceAsync());
        _environment["DOCKER_CONTEXT"] = "far";
        Assert.Equal(new("pods", $"current in {Path.Combine(_config.Directory, "buildx")}", false), await ChoiceAsync());
        _environment["BUILDKIT_HOST"] = "tcp://h:1/";
        Assert.Equal(new("tcp://h:1", "$env:BUILDKIT_HOST", true), await ChoiceAsync());
        _environment["BUILDX_BUILDER"] = "Pods";
        Assert.Equal(new("pods", "$env:BUILDX_BUILDER", true), await ChoiceAsync());
        Assert.Equal(new("default", "Use-BuildKitBuilder", true), await ChoiceAsync("default"));

        Task<BuilderChoice> ChoiceAsync(string? sessionBuilder = null) =>
            new EndpointResolver(_environment.GetValueOrDefault, _files.Contains, () => sessionBuilder).FindChoiceAsync();
    }

    [Fact]
    public async Task A_buildkitd_is_the_default_where_no_Engine_is()
    {
        _files.Add("/run/buildkit/buildkitd.sock");
        Assert.Equal("unix:///run/buildkit/buildkitd.sock", (await ResolveAsync()).Address);
        _files.Add("/var/run/docker.sock");
        Assert.Equal("unix:///var/run/docker.sock", (await ResolveAsync()).Address);
    }

    [Fact]
    public async Task An_Engine_is_what_docker_itself_would_talk_to()
    {
        _files.Add("/run/buildkit/buildkitd.sock");
        _environment["BUILDKIT_HOST"] = "tcp://127.0.0.1:1";
        Assert.Equal(("unix:///var/run/docker.sock", "default", "default"), Seen(await ResolveEngineAsync()));
        Assert.Equal("unix:///var/run/docker.sock", (await ResolveEngineAsync("default")).Address);
        _environment["DOCKER_CONTEXT"] = "far";
        Assert.Equal(("tcp://10.0.0.2:2376", "docker context 'far', $env:DOCKER_CONTEXT", "far"), Seen(await ResolveEngineAsync()));
        _environment["DOCKER_HOST"] = "tcp://127.0.0.1:2";
        Assert.Equal(("tcp://127.0.0.1:2", "$env:DOCKER_HOST", "default"), Seen(await ResolveEngineAsync()));
        Assert.Equal("tcp://10.0.0.2:2376", (await ResolveEngineAsync("far")).Address);
    }

    [Fact]
    public async Task DOCKER_TLS_VERIFY_turns_TLS_on_with_the_files_of_DOCKER_CERT_PATH()
    {
        _environment["DOCKER_HOST"] = "tcp://h";
        _environment["DOCKER_CERT_PATH"] = "/certs";
        Assert.Null((await ResolveAsync()).Tls);

        _environment["DOCKER_TLS_VERIFY"] = "1";
        Assert.Equal(new BuildKitTlsOptions { CaFile = "/certs/ca.pem" }, (await ResolveAsync()).Tls);
        _files.UnionWith(["/certs/cert.pem", "/certs/key.pem"]);
        var endpoint = await ResolveAsync();
        Assert.Equal("tcp://h:2376", endpoint.Address);
        Assert.Equal(new BuildKitTlsOptions { CaFile = "/certs/ca.pem", CertificateFile = "/certs/cert.pem", KeyFile = "/certs/key.pem" }, endpoint.Tls);

        _environment.Remove("DOCKER_CERT_PATH");
        Assert.Equal(Path.Combine(_config.Directory, "ca.pem"), (await ResolveAsync()).Tls!.CaFile);
        _environment.Remove("DOCKER_TLS_VERIFY");
        _environment["DOCKER_TLS"] = "1";
        Assert.Equal(new BuildKitTlsOptions { SkipVerify = true }, (await ResolveAsync()).Tls);
    }

    [Fact]
    public async Task Headers_of_the_docker_config_go_along()
    {
        _config.WriteConfig("""{ "HttpHeaders": { "X-Meta": "1" } }""");
        Assert.Equal("1", (await ResolveAsync("tcp://h:1")).HttpHeaders["X-Meta"]);
    }

    [Fact]
    public async Task An_error_says_which_setting_is_wrong()
    {
        _config.WriteConfig("""{ "currentContext": "gone" }""");
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => ResolveAsync());
        Assert.Equal("BuildKit.DockerContextNotFound", failure.ErrorId);
        Assert.Contains("It was chosen by currentContext in", failure.Message, StringComparison.Ordinal);

        _environment["DOCKER_HOST"] = "ssh://user:hunter2@h";
        failure = await Assert.ThrowsAsync<BuildKitException>(() => ResolveAsync());
        Assert.Equal("BuildKit.InvalidEndpoint", failure.ErrorId);
        Assert.Contains("It was chosen by $env:DOCKER_HOST", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_is_no_address()
    {
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => ResolveAsync("/run/docker.sock"));
        Assert.Equal("BuildKit.InvalidEndpoint", failure.ErrorId);
        Assert.Contains("unix:///run/docker.sock", failure.RecommendedAction, StringComparison.Ordinal);
    }

    private static (string Address, string? Source, string Name) Seen(BuildKitEndpoint endpoint) => (endpoint.Address, endpoint.Source, endpoint.Name);

    private Task<BuildKitEndpoint> ResolveEngineAsync(string? engine = null) =>
        new EndpointResolver(_environment.GetValueOrDefault, _files.Contains).ResolveEngineAsync(engine);

    private Task<BuildKitEndpoint> ResolveAsync(string? builder = null, string? sessionBuilder = null) =>
        new EndpointResolver(_environment.GetValueOrDefault, _files.Contains, () => sessionBuilder).ResolveAsync(builder);
}
