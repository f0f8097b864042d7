using System.Text;
using System.Text.Json;
using BuildKit.Solve;
using BuildKit.Solve.Progress;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve.Progress;

public sealed class RawJsonTests
{
    private static readonly DateTimeOffset Time = new(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(1));

    [Fact]
    public void ALineHasGosNamesAndLeavesOutWhatGoDoes()
    {
        var lines = new List<string>();
        var writer = new RawJsonProgressWriter(lines.Add);
        writer.Update(new SolveEvent(
            [
                new SolveVertex("sha256:a", [], "one", null, null, false, "", null),
                new SolveVertex("sha256:b", ["sha256:a"], "a & b", Time, Time.AddTicks(1230), true, "bad", new SolveProgressGroup("g", "group", true)),
            ], [], [], []));
        writer.Update(new SolveEvent([], [new SolveVertexStatus("id", "sha256:a", "", 0, 0, Time, null, null), new SolveVertexStatus("", "", "n", 1, 2, Time, Time, Time)], [], []));
        writer.Update(new SolveEvent([], [], [new SolveVertexLog("sha256:a", 2, Encoding.UTF8.GetBytes("hi\n"), Time), new SolveVertexLog("", 0, default, Time)], []));
        writer.Update(new SolveEvent(
            [], [], [], [new SolveVertexWarning("", 1, "s", ["d"], "", new SolveSource("f", "t", [new SolveSourceRange(3, 4) { EndCharacter = 5 }]) { Language = "L" })]));
        writer.Update(new SolveEvent([], [], [], []));
        writer.Complete();
        Assert.Equal(
            [
                """{"vertexes":[{"digest":"sha256:a","name":"one"},{"digest":"sha256:b","inputs":["sha256:a"],"name":"a & b","started":"2026-01-02T02:04:05Z","completed":"2026-01-02T02:04:05.000123Z","cached":true,"error":"bad","progressGroup":{"id":"g","name":"group","weak":true}}]}""",
                """{"statuses":[{"id":"id","vertex":"sha256:a","current":0,"timestamp":"2026-01-02T02:04:05Z"},{"id":"","name":"n","total":2,"current":1,"timestamp":"2026-01-02T02:04:05Z","started":"2026-01-02T02:04:05Z","completed":"2026-01-02T02:04:05Z"}]}""",
                """{"logs":[{"vertex":"sha256:a","stream":2,"data":"aGkK","timestamp":"2026-01-02T02:04:05Z"},{"data":null,"timestamp":"2026-01-02T02:04:05Z"}]}""",
                """{"warnings":[{"level":1,"short":"cw==","detail":["ZA=="],"sourceInfo":{"filename":"f","data":"dA==","language":"L"},"range":[{"start":{"line":3},"end":{"line":4,"character":5}}]}]}""",
                "{}",
            ], lines);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task TheSameBuildGivesTheLinesThatBuildxWrites(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        // A name of its own: a daemon that builds the same step for others meanwhile calls it by their name.
        var baseImage = await (engine.IsDocker ? engine : await TestEngines.GetAsync(EngineKind.Registry)).AddImageAsync($"raw-json-{Guid.NewGuid():N}:1");
        using var context = new BuildContextDirectory()
            .Write("Dockerfile", $"FROM {baseImage} as build\nRUN echo out; echo err >&2\nFROM scratch\nCOPY --link --from=build /bin/true /true\nCOPY Dockerfile /\nCMD /true\n");
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var request = new SolveRequest { Context = context.Path, Outputs = [new SolveOutput { Type = "cacheonly" }] };
        // So that the base image is there for both, and neither the first to read it.
        await SolveOperation.RunAsync(connection, request, null, default);

        var theirs = (await Buildx.BuildAsync(engine, [], "--progress", "rawjson", "--no-cache", "-o", "type=cacheonly", context.Path)).Error;
        var ours = new List<string>();
        await SolveOperation.RunAsync(connection, request with { NoCache = true }, new Recorder<SolveEvent>(new RawJsonProgressWriter(ours.Add).Update), default);

        Assert.Equal(Shapes(theirs.Split('\n')), Shapes(ours));
        Assert.Equal(Texts(theirs.Split('\n')), Texts(ours));
    }

    /// <summary>Every place that has a value, over all lines.</summary>
    private static SortedSet<string> Shapes(IEnumerable<string> lines) =>
        new(lines.SelectMany(line => Buildx.Places(JsonDocument.Parse(line).RootElement, _ => false)), StringComparer.Ordinal);

    /// <summary>What the lines say that is the same in each run: the vertexes' names, output, and the warnings without what names a session.</summary>
    private static SortedSet<string> Texts(IEnumerable<string> lines) => new(
        lines.SelectMany(line => Buildx.Places(JsonDocument.Parse(line).RootElement, IsStable)).Where(place => place.Contains(" = ", StringComparison.Ordinal)), StringComparer.Ordinal);

    private static bool IsStable(string path) =>
        path is "/vertexes[]/name" or "/logs[]/data" or "/logs[]/stream"
        || (path.StartsWith("/warnings", StringComparison.Ordinal) && !path.Contains("/vertex", StringComparison.Ordinal) && !path.Contains("/definition", StringComparison.Ordinal));
}
