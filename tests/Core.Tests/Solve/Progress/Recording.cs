using System.Text;
using System.Text.Json;
using BuildKit.Solve;

namespace BuildKit.Tests.Solve.Progress;

/// <summary>
/// A build as <c>docker buildx history logs</c> 0.29.1 gives it, once with <c>--progress rawjson</c> and once with <c>--progress plain</c>: the same
/// events, and the lines that buildx makes of them.
/// </summary>
internal static class Recording
{
    public static IEnumerable<SolveEvent> Events(string name) =>
        File.ReadLines(PathOf(name + ".json")).Select(line => Read(JsonDocument.Parse(line).RootElement));

    public static string PlainText(string name) => File.ReadAllText(PathOf(name + ".txt"));

    private static string PathOf(string file)
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "BuildKit.slnx")))
            directory = Path.GetDirectoryName(directory)!;
        return Path.Combine(directory, "tests", "Core.Tests", "Solve", "Progress", "Recordings", file);
    }

    private static SolveEvent Read(JsonElement status) => new(
        All(status, "vertexes", vertex => new SolveVertex(
            Text(vertex, "digest"), [], Text(vertex, "name"), Time(vertex, "started"), Time(vertex, "completed"),
            vertex.TryGetProperty("cached", out var cached) && cached.GetBoolean(), Text(vertex, "error"),
            vertex.TryGetProperty("progressGroup", out var group)
                ? new SolveProgressGroup(Text(group, "id"), Text(group, "name"), group.TryGetProperty("weak", out var weak) && weak.GetBoolean())
                : null)),
        All(status, "statuses", part => new SolveVertexStatus(
            Text(part, "id"), Text(part, "vertex"), Text(part, "name"), Number(part, "current"), Number(part, "total"),
            Time(part, "timestamp")!.Value, Time(part, "started"), Time(part, "completed"))),
        All(status, "logs", log => new SolveVertexLog(
            Text(log, "vertex"), (int)Number(log, "stream"), log.GetProperty("data").GetBytesFromBase64(), Time(log, "timestamp")!.Value)),
        All(status, "warnings", warning => new SolveVertexWarning(
            Text(warning, "vertex"), (int)Number(warning, "level"), Encoding.UTF8.GetString(warning.GetProperty("short").GetBytesFromBase64()), [], "", null)));

    private static List<T> All<T>(JsonElement status, string name, Func<JsonElement, T> read) =>
        status.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Select(read).ToList() : [];

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private static long Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetInt64() : 0;

    private static DateTimeOffset? Time(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetDateTimeOffset() : null;
}
