using System.Globalization;

namespace BuildKit.Solve.Progress;

/// <summary>
/// Writes a build as lines, in the form that <c>docker buildx build --progress plain</c> gives them: every vertex has a number, its lines carry that
/// number, and a vertex whose lines are broken off for those of another ends with <c>#5 ...</c>. Which vertex has the word follows buildkit's
/// util/progress/progressui/printer.go.
/// Two things differ: a line of output is written when it is whole, and a failed vertex's last lines are not repeated at the end, as they are in the error.
/// </summary>
public sealed class PlainProgressWriter : IProgressDisplay
{
    // printer.go: antiFlicker, maxDelay, minTimeDelta, minProgressDelta.
    private static readonly TimeSpan AntiFlicker = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(5);
    private const double StatusProgress = 0.05;

    private readonly Action<string> _writeLine;
    private readonly TimeProvider _clock;
    private readonly ProgressTrace _trace;
    private readonly Dictionary<TracedVertex, Entry> _entries = [];
    private readonly HashSet<TracedVertex> _changed = [];
    private readonly Dictionary<string, SolveVertexStatus> _lastStatus = [];
    private TracedVertex? _current;
    private bool _wroteAny;
    private int _lastIndex;
    private DateTimeOffset _lastShown;

    /// <summary>Creates a writer.</summary>
    /// <param name="writeLine">Takes a line, without its end. An empty one separates vertexes.</param>
    /// <param name="clock">The time; null for the system's.</param>
    public PlainProgressWriter(Action<string> writeLine, TimeProvider? clock = null)
    {
        _writeLine = writeLine;
        _clock = clock ?? TimeProvider.System;
        _trace = new ProgressTrace
        {
            Changed = vertex =>
            {
                EntryOf(vertex).Touch(_clock.GetUtcNow());
                _changed.Add(vertex);
            },
            StatusChanged = (vertex, status) => EntryOf(vertex).ChangedStatuses.Add(status.Id),
            Warned = (vertex, warning) =>
            {
                EntryOf(vertex).Touch(_clock.GetUtcNow());
                EntryOf(vertex).Warnings.Enqueue(warning.Short);
            },
        };
    }

    /// <inheritdoc/>
    public void Update(SolveEvent solveEvent)
    {
        ArgumentNullException.ThrowIfNull(solveEvent);
        _trace.Update(solveEvent);
        if (_clock.GetUtcNow() - _lastShown >= IProgressDisplay.RefreshInterval)
            Refresh();
    }

    /// <inheritdoc/>
    public void Refresh()
    {
        var now = _clock.GetUtcNow();
        _lastShown = now;
        var shown = _changed.Where(vertex => !vertex.Hidden).ToList();
        var running = shown.Where(vertex => !vertex.Completed).ToHashSet();
        var current = _current;

        // What has ended comes first, and of that the vertex that has the word.
        foreach (var vertex in shown.Where(vertex => vertex.Completed).OrderBy(vertex => vertex != current).ThenBy(vertex => vertex.LastCompleted))
            Write(vertex);

        var isFree = current is null || current.Completed;
        if (running.Count == 0)
        {
            if (isFree && _trace.Vertexes.FirstOrDefault(vertex => vertex.Started && !vertex.Completed && !vertex.Hidden) is { } open)
                Write(open);
            return;
        }
        if (!isFree && running.Contains(current!))
            Write(current!);
        if (NextSpeaker(running, isFree ? null : current, now) is { } next)
            Write(next);
    }

    /// <inheritdoc/>
    public void Complete()
    {
        Refresh();
        foreach (var vertex in _changed.Where(vertex => !vertex.Hidden).OrderBy(vertex => vertex.Order).ToList())
        {
            vertex.Log.Close();
            Write(vertex);
        }
    }

    /// <summary>Whether another vertex gets the word: when nobody has it, when one has waited too long, or when the speaker had more than its share.</summary>
    private TracedVertex? NextSpeaker(HashSet<TracedVertex> running, TracedVertex? current, DateTimeOffset now)
    {
        var candidates = running.Append(current).OfType<TracedVertex>().Distinct().OrderBy(vertex => vertex.Order).ToList();
        if (candidates.Find(vertex => vertex != current && WaitOf(vertex) > LongestSilence) is { } silent)
            return silent;
        var fastest = candidates.MaxBy(SpeedOf);
        if (current is null)
            return fastest;
        var share = SpeedOf(current) / candidates.Sum(SpeedOf);
        return fastest != current && AntiFlicker / (1 - share) < WaitOf(current) ? fastest : null;

        TimeSpan WaitOf(TracedVertex vertex) => now - EntryOf(vertex).Since;
        double SpeedOf(TracedVertex vertex) => EntryOf(vertex).Count / Math.Max(WaitOf(vertex).TotalSeconds, 1e-3);
    }

    private void Write(TracedVertex vertex)
    {
        var entry = EntryOf(vertex);
        if (entry.Index == 0)
            entry.Index = ++_lastIndex;
        GiveWord(vertex, entry);
        var open = WriteStatuses(vertex, entry);
        while (entry.Warnings.TryDequeue(out var warning))
            WriteLine(entry, $"WARN: {warning}");
        if (vertex.Completed)
            vertex.Log.Close();
        foreach (var (timestamp, text) in vertex.Log.Take())
            WriteLine(entry, $"{Seconds(vertex.Started ? timestamp - vertex.LastStarted : TimeSpan.Zero)} {text}");
        // A cache that is being loaded reports parts of a vertex that has ended.
        if (vertex.Completed && !open)
        {
            _current = null;
            entry.Count = 0;
            WriteLine(entry, Outcome(vertex));
        }
        _changed.Remove(vertex);
    }

    private void GiveWord(TracedVertex vertex, Entry entry)
    {
        if (vertex != _current)
        {
            if (_current is not null)
            {
                var old = EntryOf(_current);
                old.Count = 0;
                WriteLine(old, "...");
            }
            if (_wroteAny)
                _writeLine("");
            WriteLine(entry, vertex.Name);
        }
        _current = vertex;
    }

    /// <returns>Whether a part that was written is still open.</returns>
    private bool WriteStatuses(TracedVertex vertex, Entry entry)
    {
        var open = false;
        foreach (var status in vertex.Statuses.Where(status => entry.ChangedStatuses.Contains(status.Id) && IsDue(status)))
        {
            _lastStatus[status.Id] = status;
            open |= status.Completed is null;
            WriteLine(entry, Describe(status));
        }
        entry.ChangedStatuses.Clear();
        return open;
    }

    private bool IsDue(SolveVertexStatus status)
    {
        if (status.Completed is not null || !_lastStatus.TryGetValue(status.Id, out var last))
            return true;
        var progress = status.Total > 0 ? (double)(status.Current - last.Current) / status.Total : 0;
        return progress >= StatusProgress || status.Timestamp - last.Timestamp >= StatusInterval;
    }

    private static string Describe(SolveVertexStatus status)
    {
        var text = status.Id;
        if (status.Total != 0)
            text += $" {ByteSize.Format(status.Current)} / {ByteSize.Format(status.Total)}";
        else if (status.Current != 0)
            text += $" {ByteSize.Format(status.Current)}";
        if (status.Started is { } started && (status.Completed ?? status.Timestamp) - started is var time && time > TimeSpan.FromMilliseconds(10))
            text += string.Create(CultureInfo.InvariantCulture, $" {time.TotalSeconds:F1}s");
        return status.Completed is null ? text : text + " done";
    }

    private static string Outcome(TracedVertex vertex) => vertex switch
    {
        { Error.Length: > 0 } when vertex.Error.EndsWith("context canceled", StringComparison.Ordinal) => "CANCELED",
        { Error.Length: > 0 } => $"ERROR: {vertex.Error}",
        { Cached: true } => "CACHED",
        _ => string.Create(CultureInfo.InvariantCulture, $"DONE {vertex.RunTime.TotalSeconds:F1}s"),
    };

    private static string Seconds(TimeSpan time) =>
        time.TotalSeconds.ToString(time.TotalSeconds switch { < 10 => "F3", < 100 => "F2", _ => "F1" }, CultureInfo.InvariantCulture);

    private void WriteLine(Entry entry, string text)
    {
        _wroteAny = true;
        _writeLine(string.Create(CultureInfo.InvariantCulture, $"#{entry.Index} {text}"));
    }

    private Entry EntryOf(TracedVertex vertex)
    {
        if (!_entries.TryGetValue(vertex, out var entry))
            _entries[vertex] = entry = new Entry();
        return entry;
    }

    /// <summary>What this display keeps of a vertex.</summary>
    private sealed class Entry
    {
        /// <summary>Its number, given when it is first written; 0 before that.</summary>
        public int Index { get; set; }

        /// <summary>How much was new since <see cref="Since"/>, which is when it last got or lost the word.</summary>
        public int Count { get; set; }

        public DateTimeOffset Since { get; private set; }

        public HashSet<string> ChangedStatuses { get; } = [];

        public Queue<string> Warnings { get; } = new();

        public void Touch(DateTimeOffset now)
        {
            if (Count++ == 0)
                Since = now;
        }
    }
}
