using System.Text.Json;
using BuildKit.Builders;
using BuildKit.Builders.Drivers;
using BuildKit.Docker;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>A node of a docker-container builder on a test engine, removed with all of its own at the end.</summary>
internal sealed class ContainerBuilder : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(3);

    private readonly TestEngine _engine;

    private ContainerBuilder(TestEngine engine, BuildKitNode node)
    {
        _engine = engine;
        Container = "buildx_buildkit_" + node.Name;
        Node = new BuilderNode(node.Name, node, (address, _) => Task.FromResult(BuildKitEndpoint.Parse(address)), new DockerConfigFile { Directory = "/nonexistent" });
    }

    public static DockerContainerDriver Driver { get; } = new();

    public BuilderNode Node { get; set; }

    public string Container { get; }

    /// <summary>A node that pulls its image from the run's registry; nothing is made on the Engine yet.</summary>
    public static async Task<ContainerBuilder> OnAsync(TestEngine engine, params (string Name, string Value)[] options)
    {
        var all = new Dictionary<string, string> { ["image"] = await BuildKitImage.InRegistryAsync() };
        foreach (var (name, value) in options)
            all[name] = value;
        return new ContainerBuilder(engine, new BuildKitNode { Name = "test-" + Guid.NewGuid().ToString("n")[..8], Endpoint = engine.Address.OriginalString, DriverOptions = all });
    }

    /// <summary>The same node with something changed.</summary>
    public ContainerBuilder With(Func<BuildKitNode, BuildKitNode> change)
    {
        Node = Node with { Node = change(Node.Node) };
        return this;
    }

    public Task BootAsync(IProgress<BuilderBootEvent>? progress = null, CancellationToken cancellationToken = default) =>
        Driver.BootAsync(Node, progress, cancellationToken).WaitAsync(Guard, CancellationToken.None);

    public Task<BuildKitNodeStatus> StatusAsync() => Driver.GetStatusAsync(Node, default);

    public async Task<BuildKitConnection> ConnectAsync(IProgress<BuilderBootEvent>? progress = null)
    {
        var endpoint = await Driver.FindEndpointAsync(Node, default);
        return await BuildKitConnection.ConnectAsync(endpoint with { Boot = new BuilderBoot(Driver, Node) }, progress, default).WaitAsync(Guard);
    }

    /// <summary>Builds a file, and demands that it comes out as it went in.</summary>
    /// <returns>Whether the step that made it was cached.</returns>
    public async Task<bool> BuildAsync(string word)
    {
        await using var connection = await ConnectAsync();
        return await BuildAsync(connection, word);
    }

    public static async Task<bool> BuildAsync(BuildKitConnection connection, string word)
    {
        using var context = new BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY word /\n").Write("word", word);
        var request = new SolveRequest { Context = context.Path, Outputs = [new() { Type = "local", Destination = context.At("out") }] };
        var result = await SolveOperation.RunAsync(connection, request, null, default).WaitAsync(Guard);
        if (await File.ReadAllTextAsync(context.At("out/word")) != word)
            throw new InvalidDataException("The build gave another file.");
        return result.Steps.Single(step => step.Name.Contains("COPY", StringComparison.Ordinal)).Cached;
    }

    /// <summary>What <c>docker inspect</c> says of the container.</summary>
    public async Task<JsonElement> InspectAsync() =>
        JsonSerializer.Deserialize<JsonElement>((await _engine.DockerAsync("inspect", Container)).OutputOrThrow())[0];

    /// <summary>What the Engine has of it: its container and its volume.</summary>
    public async Task<List<string>> LeftAsync()
    {
        var containers = (await _engine.DockerAsync("ps", "--all", "--filter", $"name={Container}", "--format", "container {{.Names}}")).OutputOrThrow();
        var volumes = (await _engine.DockerAsync("volume", "ls", "--filter", $"name={Container}", "--format", "volume {{.Name}}")).OutputOrThrow();
        return $"{containers}\n{volumes}".Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList();
    }

    public Task<CommandResult> ExecAsync(params string[] command) => _engine.DockerAsync(["exec", Container, .. command]);

    public async ValueTask DisposeAsync()
    {
        await _engine.DockerAsync("rm", "--force", "--volumes", Container);
        await _engine.DockerAsync("volume", "rm", "--force", Container + "_state");
    }
}
