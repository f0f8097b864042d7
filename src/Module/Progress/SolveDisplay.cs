using BuildKit.Solve;
using BuildKit.Solve.Progress;

namespace BuildKit.Module.Progress;

/// <summary>Shows one build in a mode. All members are called by one thread at a time.</summary>
internal sealed class SolveDisplay
{
    private readonly ProgressMode _mode;
    private readonly ISolveStreams _streams;
    private readonly IProgressDisplay? _display;

    /// <summary>Creates a display.</summary>
    /// <param name="mode">Any mode but <see cref="ProgressMode.Auto"/>.</param>
    /// <param name="streams">Where to.</param>
    /// <param name="activity">What the bars say is done.</param>
    public SolveDisplay(ProgressMode mode, ISolveStreams streams, string activity)
    {
        _mode = mode;
        _streams = streams;
        _display = mode switch
        {
            ProgressMode.Tty => new ProgressBars(activity, new WriteProgressBars(streams.WriteProgress).Show),
            ProgressMode.Plain => new PlainProgressWriter(streams.WriteLine),
            ProgressMode.RawJson => new RawJsonProgressWriter(streams.WriteLine),
            _ => null,
        };
    }

    /// <summary>Shows what happened.</summary>
    public void Show(SolveEvent solveEvent)
    {
        _display?.Update(solveEvent);
        if (_mode is ProgressMode.None or ProgressMode.RawJson)
            return;
        foreach (var warning in solveEvent.Warnings)
            _streams.WriteWarning(warning.Short);
    }

    /// <inheritdoc cref="IProgressDisplay.Refresh"/>
    public void Refresh() => _display?.Refresh();

    /// <inheritdoc cref="IProgressDisplay.Complete"/>
    public void Complete() => _display?.Complete();
}
