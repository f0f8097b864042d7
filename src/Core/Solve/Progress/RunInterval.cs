namespace BuildKit.Solve.Progress;

/// <summary>A span of time in which a vertex ran.</summary>
/// <param name="Start">When it began.</param>
/// <param name="Stop">When it ended; null while it runs.</param>
internal readonly record struct RunInterval(DateTimeOffset Start, DateTimeOffset? Stop)
{
    /// <summary>Joins spans that touch or overlap, in order of time. A span without an end takes in all that start after it.</summary>
    public static IReadOnlyList<RunInterval> Merge(IEnumerable<RunInterval> intervals)
    {
        var merged = new List<RunInterval>();
        foreach (var next in intervals.OrderBy(interval => interval.Start))
        {
            if (merged.Count == 0 || merged[^1].Stop < next.Start)
                merged.Add(next);
            else if (merged[^1].Stop is { } stop && (next.Stop is null || next.Stop > stop))
                merged[^1] = merged[^1] with { Stop = next.Stop };
        }
        return merged;
    }
}
