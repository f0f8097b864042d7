using System.Globalization;
using System.Text.RegularExpressions;

namespace BuildKit.Solve.Progress;

/// <summary>Shows a build as bars: one for the whole, and one for every vertex that runs, with what it transfers and the last line it wrote.</summary>
public sealed partial class ProgressBars : IProgressDisplay
{
    // Control characters and escape sequences of a step's output would play havoc with the bar they are shown in.
    [GeneratedRegex(@"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)|\p{Cc}")]
    private static partial Regex ControlSequences();

    private const int LongestStatus = 200;

    private readonly string _title;
    private readonly TimeProvider _clock;
    private readonly ProgressTrace _trace = new();
    private readonly Dictionary<TracedVertex, DateTimeOffset> _seenRunning = [];
    private readonly ShownBars _shown;
    private readonly DateTimeOffset _started;
    private DateTimeOffset _lastShown;

    /// <summary>Creates the bars.</summary>
    /// <param name="title">What the bar of the whole build is called.</param>
    /// <param name="show">Takes a bar that is new or has changed.</param>
    /// <param name="clock">The time; null for the system's.</param>
    public ProgressBars(string title, Action<ProgressBar> show, TimeProvider? clock = null)
    {
        _title = title;
        _shown = new ShownBars(show);
        _clock = clock ?? TimeProvider.System;
        _started = _clock.GetUtcNow();
    }

    /// <inheritdoc/>
    public void Update(SolveEvent solveEvent)
    {
        ArgumentNullException.ThrowIfNull(solveEvent);
        _trace.Update(solveEvent);
        foreach (var log in solveEvent.Logs)
            _trace.Find(log.Vertex)?.Log.Discard();
        if (_clock.GetUtcNow() - _lastShown >= IProgressDisplay.RefreshInterval)
            Refresh();
    }

    /// <inheritdoc/>
    public void Refresh()
    {
        var now = _clock.GetUtcNow();
        _lastShown = now;
        var visible = _trace.Vertexes.Where(vertex => !vertex.Hidden).ToList();
        var completed = visible.Count(vertex => vertex.Completed);
        _shown.Show(new ProgressBar(0, _title, $"{completed}/{visible.Count} steps  {Elapsed(now - _started)}", null,
            visible.Count == 0 ? null : 100 * completed / visible.Count, IsCompleted: false));
        foreach (var vertex in visible.Where(vertex => vertex.Started))
        {
            if (!vertex.Completed)
                _shown.Show(BarOf(vertex, now));
            else if (_seenRunning.Remove(vertex))
                _shown.TakeAway(IdOf(vertex));
        }
    }

    /// <inheritdoc/>
    public void Complete()
    {
        _shown.TakeAllAway();
        _seenRunning.Clear();
    }

    private static int IdOf(TracedVertex vertex) => vertex.Order + 1;

    private ProgressBar BarOf(TracedVertex vertex, DateTimeOffset now)
    {
        // Times of the daemon are not compared with this side's: its clock may be another.
        if (!_seenRunning.TryGetValue(vertex, out var since))
            _seenRunning[vertex] = since = now;
        var (transfer, percent) = Transfer(vertex);
        var line = vertex.Log.Last is { } last ? Clean(last) : null;
        var status = string.Join("  ", new[] { Elapsed(now - since), transfer, line }.Where(part => !string.IsNullOrEmpty(part)));
        if (status.Length > LongestStatus)
            status = status[..LongestStatus];
        return new ProgressBar(IdOf(vertex), Clean(vertex.Name), status, line, percent, IsCompleted: false);
    }

    /// <summary>Sums up the parts of a vertex that move bytes; a single open part is named.</summary>
    private static (string? Text, int? Percent) Transfer(TracedVertex vertex)
    {
        var open = vertex.Statuses.Where(status => status.Completed is null).ToList();
        if (open.Count == 0)
            return (null, null);
        var parts = open.Count == 1 ? open : vertex.Statuses;
        var sized = parts.Where(part => part.Total > 0).ToList();
        var text = open.Count == 1 ? Clean(open[0].Id) : $"{parts.Count - open.Count}/{parts.Count}";
        if (sized.Count == 0)
            return (parts.Sum(part => part.Current) is > 0 and var moved ? $"{text} {ByteSize.Format(moved)}" : text, null);
        var (current, total) = (sized.Sum(part => part.Current), sized.Sum(part => part.Total));
        return ($"{text} {ByteSize.Format(current)} / {ByteSize.Format(total)}", (int)Math.Clamp(100.0 * current / total, 0, 100));
    }

    private static string Elapsed(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F1}s");

    /// <summary>What a terminal would show of a line: what follows the last carriage return, without control sequences.</summary>
    private static string Clean(string line) => ControlSequences().Replace(line.TrimEnd('\r').Split('\r')[^1], "").Trim();
}
