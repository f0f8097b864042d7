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

    /// <summary>The warnings, each once: a build for several platforms brings it for each (docker/buildx util/progress).</summary>
    public IReadOnlyList<SolveVertexWarning> Warnings => _warnings.DistinctBy(WhatItSays).ToList();

    /// <summary>All of a warning but the vertex that it is about: two that are equal in it say the same.</summary>
    public static object WhatItSays(SolveVertexWarning warning) => (
        warning.Level, warning.Short, warning.Url, string.Join('\n', warning.Detail), warning.Source?.FileName, warning.Source?.Text,
        string.Join(',', warning.Source?.Ranges ?? []));

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

    /// <summary>The vertexes in the order in which they started, but none before what it needs: cached ones all start at once. Those that never did are at the end.</summary>
    public IReadOnlyList<SolveStep> Steps()
    {
        var steps = new List<SolveStep>(_vertexes.Count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var vertex in _vertexes.Values.OrderBy(vertex => vertex.Started ?? DateTimeOffset.MaxValue))
            AddStep(vertex, steps, seen);
        return steps;
    }

    private void AddStep(SolveVertex vertex, List<SolveStep> steps, HashSet<string> seen)
    {
        if (!seen.Add(vertex.Digest))
            return;
        foreach (var input in vertex.Inputs)
            if (Find(input) is { } needed)
                AddStep(needed, steps, seen);
        var duration = vertex is { Started: { } started, Completed: { } completed } && completed > started ? completed - started : TimeSpan.Zero;
        steps.Add(new SolveStep(vertex.Name, vertex.Cached, vertex.Started, duration));
    }

    private sealed class LogTail
    {
        private byte[] _bytes = new byte[256];
        private int _length;

        public void Append(ReadOnlySpan<byte> data)
        {
            if (data.Length > LogTailBytes)
                data = data[^LogTailBytes..];
            var kept = Math.Min(_length, 2 * LogTailBytes - data.Length);
            if (kept < _length)
            {
                kept = LogTailBytes;
                _bytes.AsSpan(_length - kept, kept).CopyTo(_bytes);
            }
            if (_bytes.Length < kept + data.Length)
                Array.Resize(ref _bytes, Math.Min(2 * LogTailBytes, Math.Max(2 * _bytes.Length, kept + data.Length)));
            data.CopyTo(_bytes.AsSpan(kept));
            _length = kept + data.Length;
        }

        public List<string> Lines(int count)
        {
            var text = Encoding.UTF8.GetString(_bytes, 0, _length).Replace("\r\n", "\n", StringComparison.Ordinal);
            var lines = text.TrimEnd('\n').Split('\n');
            return lines is [""] ? [] : lines.TakeLast(count).ToList();
        }
    }
}
