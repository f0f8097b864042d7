using System.Collections.Concurrent;
using Xunit;

namespace BuildKit.Tests.Engines;

/// <summary>
/// The real daemons that tests talk to. One of a kind is started when the first test asks for it and is shared by the run; its supervisor
/// (see <c>tests/engines/engines</c>) ends it a second after this process is gone, however it went.
/// </summary>
/// <remarks>Call it from a <c>[SkippableFact]</c> or <c>[SkippableTheory]</c>: where engines can't be had, the test is skipped and says why.</remarks>
public static class TestEngines
{
    private static readonly string Script = FindScript();
    private static readonly ConcurrentDictionary<EngineKind, Lazy<Task<string?>>> Obstacles = new();
    private static readonly ConcurrentDictionary<EngineKind, Lazy<Task<TestEngine>>> Shared = new();
    private static int _started;

    /// <summary>The run's engine of that kind. Leave it as you found it: other tests use it at the same time.</summary>
    public static async Task<TestEngine> GetAsync(EngineKind kind)
    {
        await SkipUnlessAvailableAsync(kind);
        return await Shared.GetOrAdd(kind, k => new(() => StartAsync(k, isPrivate: false))).Value;
    }

    /// <summary>An engine for one test alone, to be killed, filled or broken. Disposing it takes it down.</summary>
    public static async Task<TestEngine> StartPrivateAsync(EngineKind kind)
    {
        await SkipUnlessAvailableAsync(kind);
        return await StartAsync(kind, isPrivate: true);
    }

    /// <summary>Where a peer program lies: docker, buildx, buildctl, crane, skopeo or umoci. Fetches or builds it when it is missing.</summary>
    public static async Task<string> GetProgramAsync(string name)
    {
        await SkipUnlessAvailableAsync(EngineKind.Registry);
        await FetchAsync(name switch { "docker" or "buildx" => "28", "buildctl" => "buildkitd", _ => "tools" });
        return (await RunAsync("path", name)).OutputOrThrow();
    }

    /// <summary>Runs a peer program. The libraries of skopeo and umoci lie beside them, and not where the system looks.</summary>
    public static async Task<CommandResult> RunProgramAsync(string name, params string[] arguments)
    {
        var program = await GetProgramAsync(name);
        var beside = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(program)!, "..", "lib"));
        var libraries = Directory.Exists(beside) ? Directory.EnumerateDirectories(beside, "*-linux-gnu") : [];
        return await CommandResult.RunAsync("env", [$"LD_LIBRARY_PATH={string.Join(':', libraries)}", program, .. arguments]);
    }

    internal static Task<CommandResult> RunAsync(params string[] arguments) => CommandResult.RunAsync("bash", [Script, .. arguments]);

    internal static string KindName(EngineKind kind) => kind switch
    {
        EngineKind.Docker28Graphdriver => "docker28",
        EngineKind.Docker28Containerd => "docker28-containerd",
        EngineKind.Docker26 => "docker26",
        EngineKind.Docker26Containerd => "docker26-containerd",
        EngineKind.Docker20 => "docker20",
        EngineKind.BuildkitdUnix => "buildkitd",
        EngineKind.BuildkitdTls => "buildkitd-tls",
        EngineKind.Registry => "registry",
        EngineKind.RegistryBasic => "registry-basic",
        EngineKind.RegistryToken => "registry-token",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static async Task<TestEngine> StartAsync(EngineKind kind, bool isPrivate)
    {
        var name = $"t{Environment.ProcessId}-{KindName(kind)}" + (isPrivate ? $"-{Interlocked.Increment(ref _started)}" : "");
        var engine = new TestEngine(kind, name, isPrivate);
        await engine.StartAsync();
        return engine;
    }

    private static async Task SkipUnlessAvailableAsync(EngineKind kind)
    {
        var obstacle = await Obstacles.GetOrAdd(kind, k => new(() => FindObstacleAsync(k))).Value;
        Skip.If(obstacle is not null, obstacle);
    }

    private static async Task<string?> FindObstacleAsync(EngineKind kind)
    {
        if (!OperatingSystem.IsLinux())
            return "The engines run on Debian alone.";
        var check = await RunAsync("check", KindName(kind));
        return check.ExitCode == 0 ? null : check.Error.Split('\n')[^1];
    }

    private static async Task FetchAsync(string what)
    {
        var fetch = await RunAsync("fetch", what);
        Skip.If(fetch.ExitCode != 0, fetch.Error.Split('\n')[^1]);
    }

    private static string FindScript()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var script = Path.Combine(folder.FullName, "tests", "engines", "engines");
            if (File.Exists(script))
                return script;
        }

        throw new FileNotFoundException("tests/engines/engines is in no folder above " + AppContext.BaseDirectory);
    }
}
