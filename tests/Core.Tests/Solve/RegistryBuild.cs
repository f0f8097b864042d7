using System.Text;
using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Solve;
using BuildKit.Tests.Docker;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Builds that have to do with registries, with a docker config of their own, and with everything kept that a user could see of them.</summary>
internal sealed class RegistryBuild : IProgress<SolveEvent>, IDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(2);

    private readonly TestDockerConfig _config = new();
    private readonly StringBuilder _seen = new();

    /// <summary>Every kind of daemon that pulls and pushes in a way of its own.</summary>
    public static IReadOnlyList<EngineKind> Daemons { get; } =
    [
        EngineKind.Docker28Graphdriver, EngineKind.Docker28Containerd, EngineKind.Docker26, EngineKind.Docker26Containerd, EngineKind.Docker20, EngineKind.BuildkitdUnix,
    ];

    /// <summary>Every such daemon with each of some registries.</summary>
    public static TheoryData<EngineKind, EngineKind> Cells(params EngineKind[] registries)
    {
        var cells = new TheoryData<EngineKind, EngineKind>();
        foreach (var daemon in Daemons)
            foreach (var registry in registries)
                cells.Add(daemon, registry);
        return cells;
    }

    public static SolveOutput PushedImage { get; } = new() { Type = "image", Attributes = new Dictionary<string, string> { ["push"] = "true" } };

    public List<SolveVertex> Vertexes { get; } = [];

    public List<SolveVertexStatus> Statuses { get; } = [];

    public string ConfigDirectory => _config.Directory;

    /// <summary>Everything but the result: events and errors.</summary>
    public string Seen => _seen.ToString();

    /// <summary>A name on a registry that no other test uses.</summary>
    public static string NewName(TestEngine registry, string repository) => $"{registry.Address.Authority}/{repository}-{Guid.NewGuid():N}:1";

    /// <summary>Puts the busybox image into a registry under such a name.</summary>
    public static Task<string> AddImageAsync(TestEngine registry, string repository = "private/base") =>
        registry.AddImageAsync(NewName(registry, repository)[(registry.Address.Authority.Length + 1)..]);

    public RegistryBuild WriteConfig(string json)
    {
        _config.WriteConfig(json);
        return this;
    }

    /// <summary>Puts an account into <c>auths</c>; null empties the config.</summary>
    public RegistryBuild LogIn(TestEngine registry, RegistryAccount? account) =>
        WriteConfig(account is null ? "{}" : Auths(registry, $$"""{"auth":"{{account.Base64}}"}"""));

    /// <summary>A docker config with one entry in <c>auths</c>.</summary>
    public static string Auths(TestEngine registry, string entry) => "{\"auths\":{\"" + registry.Address.Authority + "\":" + entry + "}}";

    public async Task<BuildKitSolveResult> RunAsync(TestEngine engine, SolveRequest request, CancellationToken cancellationToken = default)
    {
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var config = await DockerConfigFile.LoadAsync(_config.Directory, cancellationToken);
        try
        {
            var result = await SolveOperation.RunAsync(connection, request, config, this, cancellationToken).WaitAsync(Guard, CancellationToken.None);
            _seen.Append(result).AppendJoin(' ', result.ExporterResponse).AppendJoin(' ', result.Steps).AppendJoin(' ', result.Warnings);
            return result;
        }
        catch (Exception exception)
        {
            _seen.Append(exception).Append((exception as BuildKitException)?.RecommendedAction);
            throw;
        }
    }

    public async Task<BuildKitException> FailsAsync(TestEngine engine, SolveRequest request) =>
        await Assert.ThrowsAnyAsync<BuildKitException>(() => RunAsync(engine, request));

    /// <summary>No password and no token was to be seen until now, nor does the daemon keep one in its folder: log, build history, cache.</summary>
    public async Task AssertNoSecretAsync(TestEngine engine)
    {
        Assert.NotEmpty(Seen);
        Assert.All(RegistryAccount.Secrets, secret => Assert.DoesNotContain(secret, Seen, StringComparison.Ordinal));
        var search = await CommandResult.RunAsync(
            "grep", ["-rlFs", .. RegistryAccount.Secrets.SelectMany(secret => new[] { "-e", secret }), engine.Folder]);
        Assert.Equal("", search.Output);
    }

    public void Report(SolveEvent value)
    {
        lock (_seen)
        {
            Vertexes.AddRange(value.Vertexes);
            Statuses.AddRange(value.Statuses);
            _seen.AppendJoin('\n', value.Vertexes).AppendJoin('\n', value.Statuses).AppendJoin('\n', value.Warnings);
            foreach (var log in value.Logs)
                _seen.Append(Encoding.UTF8.GetString(log.Data.Span));
        }
    }

    public void Dispose() => _config.Dispose();
}
