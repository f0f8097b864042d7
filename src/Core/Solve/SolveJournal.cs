using System.Text;

namespace BuildKit.Solve;

/// <summary>
/// What is kept of a build's events until its end: the state of each vertex, the warnings, and the last lines of each vertex's output.
/// Written by the status reader, read once the build has ended.
/// </summary>
internal sealed class SolveJournal
{
    /// <summary>How much of a vertex's output is kept for an error, in bytes.</summary>
    public const int LogTailBytes = 16 * 1024;

    private readonly Dictionary<string, SolveVertex> _vertexes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LogTail> _logs = new(StringComparer.Ordinal);
    private readonly List<SolveVertexWarning> _warnings = [];

    public IReadOnlyList<SolveVertexWarning> Warnings => _warnings;

    public void Add(SolveEvent solveEvent)
    {
        foreach (var vertex in solveEvent.Vertexes)
        {
            _vertexes[vertex.Digest] = vertex;
            if (vertex is { Completed: not null, Error.Length: 0 })
                _logs.Remove(vertex.Digest);
        }
        foreach (var log in solveEvent.Logs)
        {
            if (!_logs.TryGetValue(log.Vertex, out var tail))
                _logs[log.Vertex] = tail = new LogTail();
            tail.Append(log.Data.Span);
        }
        _warnings.AddRange(solveEvent.Warnings);
    }

    /// <summary>The vertex with this digest, or null.</summary>
    public SolveVertex? Find(string? digest) => digest is not null && _vertexes.TryGetValue(digest, out var vertex) ? vertex : null;

    /// <summary>The vertex that failed; where several did, the first to end (the others were cancelled for it). Null where none did.</summary>
    public SolveVertex? FindFailed() =>
        _vertexes.Values.Where(vertex => vertex.Error.Length > 0 && !vertex.Error.EndsWith("context canceled", StringComparison.Ordinal))
            .OrderBy(vertex => vertex.Completed ?? DateTimeOffset.MaxValue).FirstOrDefault();

    /// <summary>The last lines that a vertex wrote, at most <paramref name="count"/>.</summary>
    public IReadOnlyList<string> LastLines(string? digest, int count) =>
        digest is not null && _logs.TryGetValue(digest, out var tail) ? tail.Lines(count) : [];

    /// <summary>The vertexes in the order in which they started, those that never did at the end.</summary>
    public IReadOnlyList<SolveStep> Steps() =>
        _vertexes.Values.OrderBy(vertex => vertex.Started ?? DateTimeOffset.MaxValue)
            .Select(vertex => new SolveStep(
                vertex.Name, vertex.Cached, vertex.Started,
                vertex is { Started: { } started, Completed: { } completed } && completed > started ? completed - started : TimeSpan.Zero))
            .ToList();

    private sealed class LogTail
    {
        private readonly MemoryStream _bytes = new();

        public void Append(ReadOnlySpan<byte> data)
        {
            _bytes.Write(data.Length > LogTailBytes ? data[^LogTailBytes..] : data);
            if (_bytes.Length <= 2 * LogTailBytes)
                return;
            var kept = _bytes.GetBuffer().AsSpan((int)_bytes.Length - LogTailBytes, LogTailBytes).ToArray();
            _bytes.SetLength(0);
            _bytes.Write(kept);
        }

        public IReadOnlyList<string> Lines(int count)
        {
            var text = Encoding.UTF8.GetString(_bytes.GetBuffer(), 0, (int)_bytes.Length).Replace("\r\n", "\n", StringComparison.Ordinal);
            var lines = text.TrimEnd('\n').Split('\n');
            return lines is [""] ? [] : lines.TakeLast(count).ToList();
        }
    }
}
