using System.Text.Json.Nodes;
using BuildKit.Builders;
using BuildKit.Builders.Store;
using BuildKit.Tests.Docker;
using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Builders;

/// <summary>A user's docker config with buildx's store in it, which both buildx and this library read and write.</summary>
internal sealed class BuilderHome : IDisposable
{
    private readonly TestDockerConfig _config = new();

    public BuilderHome()
    {
        Environment = new Dictionary<string, string> { ["DOCKER_CONFIG"] = _config.Directory };
        Store = new BuilderStore(Path.Combine(_config.Directory, "buildx"));
    }

    public Dictionary<string, string> Environment { get; }

    public TestDockerConfig Config => _config;

    public BuilderStore Store { get; }

    public HashSet<string> Files { get; } = [];

    public EndpointResolver Resolver(string? sessionBuilder = null) => new(Environment.GetValueOrDefault, Files.Contains, () => sessionBuilder);

    public BuilderManager Manager(string? sessionBuilder = null) => new(Environment.GetValueOrDefault, Files.Contains, Resolver(sessionBuilder)) { StatusTimeout = TimeSpan.FromSeconds(60) };

    public void WriteContext(string name, string host) =>
        _config.WriteContext(name, new JsonObject { ["Name"] = name, ["Endpoints"] = new JsonObject { ["docker"] = new JsonObject { ["Host"] = host } } }.ToJsonString());

    /// <summary>Runs buildx with this config and environment.</summary>
    public async Task<string> BuildxAsync(params string[] arguments) => (await TryBuildxAsync(arguments)).OutputOrThrow();

    public async Task<CommandResult> TryBuildxAsync(params string[] arguments) =>
        await CommandResult.RunAsync("env", ["-u", "DOCKER_HOST", .. Environment.Select(pair => $"{pair.Key}={pair.Value}"), await TestEngines.GetProgramAsync("buildx"), .. arguments]);

    /// <summary>What <c>buildx ls</c> shows, as JSON, one object a builder.</summary>
    public async Task<IReadOnlyList<JsonObject>> BuildxListAsync() =>
        (await BuildxAsync("ls", "--format", "json")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();

    public void Dispose() => _config.Dispose();
}
