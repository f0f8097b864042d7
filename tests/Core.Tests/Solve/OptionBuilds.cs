using BuildKit.Solve;
using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Solve;

/// <summary>Builds of a few lines, for the tests of single options.</summary>
internal static class OptionBuilds
{
    /// <summary>Builds a Dockerfile without files. Its lines may use <c>${BASE}</c>, and <c>${SALT}</c> to be new every time.</summary>
    /// <param name="engine">Where.</param>
    /// <param name="dockerfile">The lines after the declaration of <c>BASE</c>.</param>
    /// <param name="options">What else is asked for.</param>
    /// <returns>The result, and what the steps printed.</returns>
    public static async Task<(BuildKitSolveResult Result, string Log)> BuildAsync(TestEngine engine, string dockerfile, Func<SolveRequest, SolveRequest>? options = null)
    {
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var request = new SolveRequest
        {
            DockerfileText = "ARG BASE\n" + dockerfile,
            BuildArgs = new Dictionary<string, string> { ["BASE"] = engine.BaseImage, ["SALT"] = Guid.NewGuid().ToString("N") },
        };
        var log = new EventLog();
        var result = await SolveOperation.RunAsync(connection, options?.Invoke(request) ?? request, log, default).WaitAsync(TimeSpan.FromMinutes(2));
        return (result, log.Text);
    }

    /// <summary>Prints something in a step that is never cached.</summary>
    public static async Task<string> RunAsync(TestEngine engine, string command, Func<SolveRequest, SolveRequest>? options = null) =>
        (await BuildAsync(engine, $"FROM ${{BASE}}\nARG SALT\nRUN {command}\n", options)).Log;

    public static SolveRequest WithArgs(this SolveRequest request, params (string Name, string Value)[] arguments)
    {
        var all = request.BuildArgs.ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var (name, value) in arguments)
            all[name] = value;
        return request with { BuildArgs = all };
    }

    /// <summary>The address of the run's registry, <c>127.0.0.1:PORT</c>.</summary>
    public static async Task<string> RegistryAsync() => (await TestEngines.GetAsync(EngineKind.Registry)).Address.Authority;

    /// <summary>Builds and pushes an image with the run's buildkitd.</summary>
    /// <returns>Its name.</returns>
    public static async Task<string> PushAsync(string repository, string dockerfile, Func<SolveRequest, SolveRequest>? options = null)
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        var name = $"{await RegistryAsync()}/{repository}:{Guid.NewGuid():N}";
        var output = new SolveOutput { Type = "image", Attributes = new Dictionary<string, string> { ["push"] = "true" } };
        await BuildAsync(engine, dockerfile, request => (options?.Invoke(request) ?? request) with { Tags = [name], Outputs = [output] });
        return name;
    }
}
