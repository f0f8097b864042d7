namespace BuildKit.Solve.Progress;

/// <summary>Shows a build's events to a person. All members are called from one thread at a time.</summary>
public interface IProgressDisplay
{
    /// <summary>Takes an event in and shows it, unless something was shown a moment ago.</summary>
    /// <param name="solveEvent">The event.</param>
    void Update(SolveEvent solveEvent);

    /// <summary>Shows what has not been shown yet. To be called every <see cref="RefreshInterval"/> or so.</summary>
    void Refresh();

    /// <summary>Shows what is left, and takes away what is not to stay. To be called at the end, however the build ended.</summary>
    void Complete();

    /// <summary>How often a display shows something new at most.</summary>
    static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(100);
}
