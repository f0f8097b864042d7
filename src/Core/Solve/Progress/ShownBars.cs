namespace BuildKit.Solve.Progress;

/// <summary>The bars that are on show: one that has not changed is not shown again.</summary>
/// <param name="show">Takes a bar that is new or has changed, or that is to be taken away.</param>
internal sealed class ShownBars(Action<ProgressBar> show)
{
    private readonly Dictionary<int, ProgressBar> _shown = [];

    public void Show(ProgressBar bar)
    {
        if (_shown.TryGetValue(bar.Id, out var shown) && shown == bar)
            return;
        _shown[bar.Id] = bar;
        show(bar);
    }

    public void TakeAway(int id)
    {
        if (_shown.Remove(id, out var bar))
            show(bar with { IsCompleted = true });
    }

    /// <summary>Takes all away, those below first.</summary>
    public void TakeAllAway()
    {
        foreach (var id in _shown.Keys.OrderDescending().ToList())
            TakeAway(id);
    }
}
