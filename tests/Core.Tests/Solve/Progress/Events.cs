using System.Text;
using BuildKit.Solve;

namespace BuildKit.Tests.Solve.Progress;

/// <summary>Short ways to write a build's events. Times are seconds after <see cref="ManualClock.Origin"/>.</summary>
internal static class Events
{
    public static SolveEvent Vertex(
        string digest, double? started = null, double? completed = null, string? name = null, bool cached = false, string error = "",
        SolveProgressGroup? group = null) =>
        new([new SolveVertex(digest, [], name ?? digest, At(started), At(completed), cached, error, group)], [], [], []);

    public static SolveEvent Status(string vertex, string id, long current, long total = 0, double at = 0, double? started = 0, double? completed = null) =>
        new([], [new SolveVertexStatus(id, vertex, "", current, total, At(at)!.Value, At(started), At(completed))], [], []);

    public static SolveEvent Log(string vertex, string text, double at = 0) => Log(vertex, Encoding.UTF8.GetBytes(text), at);

    public static SolveEvent Log(string vertex, byte[] data, double at = 0) => new([], [], [new SolveVertexLog(vertex, 1, data, At(at)!.Value)], []);

    public static SolveEvent Warning(string vertex, string text) => new([], [], [], [new SolveVertexWarning(vertex, 1, text, [], "", null)]);

    private static DateTimeOffset? At(double? seconds) => seconds is { } value ? ManualClock.Origin.AddSeconds(value) : null;
}
