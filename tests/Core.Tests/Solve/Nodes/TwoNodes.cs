using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve.Nodes;

/// <summary>
/// A builder <c>two</c> with two buildkitd, made by docker buildx in a docker config of its own: node <c>a</c> was given linux/amd64, node <c>b</c> linux/arm64. As long as nothing is run,
/// both build for any platform. Call <see cref="StartAsync"/> first.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls DisposeAsync.")]
public sealed class TwoNodes : IAsyncLifetime
{
    /// <summary>What both tools take for the time of the build.</summary>
    public const string Epoch = "1700000000";

    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(3);

    private readonly BuildContextDirectory _files = new();
    private readonly ConcurrentDictionary<string, Lazy<Task<BuildKitConnection>>> _connections = new();
    private readonly Lazy<Task> _started;

    public TwoNodes() => _started = new(StartOnceAsync);

    public TestEngine B { get; private set; } = null!;

    public TestEngine Registry { get; private set; } = null!;

    public BuilderTarget Builder { get; private set; } = null!;

    /// <summary>The docker config of both tools.</summary>
    public string ConfigPath => _files.At("config");

    /// <summary>A context with a file for each platform, <c>hello-ARCHITECTURE</c>, and a Dockerfile that takes it.</summary>
    public string Context => _files.At("context");

    public Task StartAsync() => _started.Value;

    /// <summary>A file or directory that nobody else uses.</summary>
    public string NewPath() => _files.At(Guid.NewGuid().ToString("N"));

    public string NewName(string tag = "1") => $"{Registry.Address.Authority}/nodes-{Guid.NewGuid():N}:{tag}";

    /// <summary>Builds with a builder, and a docker config that may be changed by the caller.</summary>
    public async Task<BuildKitSolveResult> BuildAsync(
        SolveRequest request, IProgress<SolveEvent>? events = null, BuilderTarget? builder = null, string? config = null, CancellationToken cancellationToken = default) =>
        await SolveOperation.RunAsync(
            builder ?? Builder, ConnectAsync, request, await DockerConfigFile.LoadAsync(config ?? ConfigPath, default), events, cancellationToken).WaitAsync(Guard, CancellationToken.None);

    public async Task<BuildKitException> FailAsync(SolveRequest request, IProgress<SolveEvent>? events = null, BuilderTarget? builder = null, string? config = null) =>
        await Assert.ThrowsAnyAsync<BuildKitException>(() => BuildAsync(request, events, builder, config));

    /// <summary>The same with docker buildx.</summary>
    public async Task<CommandResult> BuildxAsync(params string[] arguments) => await CommandResult.RunAsync(
        "env", [$"DOCKER_CONFIG={ConfigPath}", $"SOURCE_DATE_EPOCH={Epoch}", await TestEngines.GetProgramAsync("buildx"), .. arguments]);

    /// <summary>
    /// What became of a build on each node, by its own history: the platforms that it was asked for, <c>error</c> where it failed or was cancelled, an empty text where no platform was named,
    /// <c>-</c> where it took no part.
    /// </summary>
    public async Task<string> RecordedAsync(string solveRef)
    {
        var buildctl = await TestEngines.GetProgramAsync("buildctl");
        var states = new List<string>();
        foreach (var node in Builder.Nodes)
        {
            var histories = await CommandResult.RunAsync(buildctl, ["--addr", node.Endpoint.Address, "debug", "histories", "--format", "{{json .}}"]);
            var record = histories.OutputOrThrow().Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("record")).LastOrDefault(record => record.GetProperty("Ref").GetString() == solveRef);
            states.Add(record.ValueKind == JsonValueKind.Undefined ? "-" : record.TryGetProperty("error", out _) ? "error"
                : record.GetProperty("FrontendAttrs").TryGetProperty("platform", out var platform) ? platform.GetString()! : "");
        }
        return string.Join(' ', states);
    }

    public Task<BuildKitConnection> ConnectAsync(BuilderTargetNode node, CancellationToken cancellationToken) =>
        _connections.GetOrAdd(node.Endpoint.Address, _ => new(() => BuildKitConnection.ConnectAsync(node.Endpoint, CancellationToken.None))).Value;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var connection in _connections.Values.Where(connection => connection.Value.IsCompletedSuccessfully))
            await (await connection.Value).DisposeAsync();
        if (B is not null)
            await B.DisposeAsync();
        _files.Dispose();
    }

    private async Task StartOnceAsync()
    {
        var a = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        B = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdUnix);
        Registry = await TestEngines.GetAsync(EngineKind.Registry);
        Directory.CreateDirectory(ConfigPath);
        (await BuildxAsync("create", "--name", "two", "--driver", "remote", "--node", "a", "--platform", "linux/amd64", a.Address.OriginalString)).OutputOrThrow();
        (await BuildxAsync("create", "--name", "two", "--append", "--driver", "remote", "--node", "b", "--platform", "linux/arm64", B.Address.OriginalString)).OutputOrThrow();
        Builder = await new EndpointResolver(name => name == "DOCKER_CONFIG" ? ConfigPath : null, File.Exists).ResolveBuilderAsync("two");

        foreach (var architecture in new[] { "amd64", "arm64", "386" })
            _files.Write($"context/hello-{architecture}", $"for {architecture}\n");
        var baseName = NewName("base");
        // No layer is the same for two platforms: the registry (distribution 2.8) loses one of two uploads of the same blob that end at the same time.
        await BuildAsync(new SolveRequest
        {
            Context = Context,
            DockerfileText = "FROM scratch\nARG TARGETARCH\nCOPY hello-$TARGETARCH /base\n",
            Platforms = ["linux/amd64", "linux/arm64", "linux/386"],
            Tags = [baseName],
            Push = true,
            SourceDateEpoch = Epoch,
        });
        _files.Write("context/Dockerfile", $"FROM {baseName}\nARG TARGETARCH\nCOPY hello-$TARGETARCH /hello\nLABEL built=here\n");
    }
}
