using BuildKit.Builders;
using BuildKit.Solve;
using BuildKit.Tests.Builders;
using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Solve;

/// <summary>Builds on a test engine, on a connection of its own.</summary>
internal static class EngineConnection
{
    public static Task<BuildKitConnection> ConnectAsync(TestEngine engine) => BuildKitConnection.ConnectAsync(TestEndpoints.For(engine));

    public static async Task<BuildKitSolveResult> SolveAsync(TestEngine engine, SolveRequest request, IProgress<SolveEvent>? events = null)
    {
        await using var connection = await ConnectAsync(engine);
        return await SolveOperation.RunAsync(connection, request, events, default).WaitAsync(TimeSpan.FromMinutes(3));
    }

    /// <summary>What a build fails with.</summary>
    public static async Task<BuildKitException> FailAsync(TestEngine engine, SolveRequest request) =>
        await Xunit.Assert.ThrowsAnyAsync<BuildKitException>(() => SolveAsync(engine, request));

    /// <summary>Builds and gives the files of the result, by their paths.</summary>
    public static async Task<Dictionary<string, string>> FilesAsync(TestEngine engine, SolveRequest request)
    {
        using var destination = new BuildContextDirectory();
        var output = Path.Combine(destination.Path, "out");
        await SolveAsync(engine, request with { Outputs = [new SolveOutput { Type = "local", Destination = output }] });
        return Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories).ToDictionary(path => Path.GetRelativePath(output, path), File.ReadAllText);
    }
}
