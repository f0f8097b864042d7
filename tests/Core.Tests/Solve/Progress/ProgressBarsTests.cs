using BuildKit.Solve.Progress;
using Xunit;
using static BuildKit.Tests.Solve.Progress.Events;

namespace BuildKit.Tests.Solve.Progress;

public sealed class ProgressBarsTests
{
    private readonly ManualClock _clock = new();
    private readonly List<ProgressBar> _shown = [];
    private readonly ProgressBars _bars;

    public ProgressBarsTests() => _bars = new ProgressBars("Building", _shown.Add, _clock);

    [Fact]
    public void ShowsABarForTheWholeAndOneForEveryVertexThatRuns()
    {
        _bars.Update(Vertex("waiting"));
        _bars.Update(Vertex("done", started: 0, completed: 1));
        _bars.Update(Vertex("running", started: 0));
        _clock.Now += TimeSpan.FromSeconds(2);
        _bars.Refresh();

        var latest = Latest();
        Assert.Equal([0, 3], latest.Keys.Order());
        Assert.Equal(("Building", "1/3 steps  2.0s", 33), (latest[0].Activity, latest[0].Status, latest[0].PercentComplete));
        Assert.Equal(("running", "0.0s", (int?)null), (latest[3].Activity, latest[3].Status, latest[3].PercentComplete));
    }

    [Fact]
    public void KeepsABarsIdAndTakesItAwayOnce()
    {
        Step(() => _bars.Update(Vertex("a", started: 0)));
        Step(() => _bars.Update(Vertex("b", started: 0)));
        Step(() => _bars.Update(Vertex("a", started: 0, completed: 1)));
        Step(() => _bars.Update(Vertex("b", started: 0, completed: 2)));
        _bars.Complete();

        Assert.Equal([1, 2, 0], _shown.Where(bar => bar.IsCompleted).Select(bar => bar.Id));
        Assert.All(_shown.Where(bar => bar.Id > 0).GroupBy(bar => bar.Id), bars => Assert.Single(bars.Select(bar => bar.Activity).Distinct()));
    }

    [Fact]
    public void TakesAllBarsAwayWhenTheBuildIsBrokenOff()
    {
        Step(() => _bars.Update(Vertex("a", started: 0)));
        Step(() => _bars.Update(Vertex("b", started: 0)));
        _bars.Complete();

        Assert.Equal([0, 1, 2], _shown.Where(bar => bar.IsCompleted).Select(bar => bar.Id).Order());
    }

    [Fact]
    public void ShowsWhatATransferHasMoved()
    {
        _bars.Update(Vertex("pull", started: 0));
        _bars.Update(Status("pull", "sha256:1", 5_000_000, 10_000_000, completed: null));
        _bars.Refresh();
        Assert.Equal(("0.0s  sha256:1 5.00MB / 10.00MB", 50), (Latest()[1].Status, Latest()[1].PercentComplete));

        _bars.Update(Status("pull", "sha256:2", 0, 30_000_000));
        _bars.Update(Status("pull", "sha256:3", 10_000_000, 10_000_000, completed: 1));
        _bars.Refresh();
        Assert.Equal(("0.0s  1/3 15.00MB / 50.00MB", 30), (Latest()[1].Status, Latest()[1].PercentComplete));
    }

    [Fact]
    public void ShowsBytesOfATransferWithoutAnEnd()
    {
        _bars.Update(Vertex("context", started: 0));
        _bars.Update(Status("context", "transferring context:", 1_234_567));
        _bars.Refresh();

        Assert.Equal(("0.0s  transferring context: 1.23MB", (int?)null), (Latest()[1].Status, Latest()[1].PercentComplete));
    }

    [Theory]
    [InlineData("one\ntwo\n\n", "two")]
    [InlineData("10%\r20%\r", "20%")]
    [InlineData("\u001b[31mred\u001b[0m\a\u001b]0;title\a", "red")]
    public void ShowsTheLastLineWithoutControlSequences(string output, string shown)
    {
        _bars.Update(Vertex("run", started: 0));
        _bars.Update(Log("run", output));
        _bars.Refresh();

        Assert.Equal(("0.0s  " + shown, shown), (Latest()[1].Status, Latest()[1].CurrentOperation));
    }

    [Fact]
    public void ShowsNoMoreThanTenTimesASecond()
    {
        _bars.Update(Vertex("run", started: 0));
        var shown = _shown.Count;
        for (var line = 0; line < 50; line++)
            _bars.Update(Log("run", $"{line}\n"));

        Assert.Equal(shown, _shown.Count);
    }

    private Dictionary<int, ProgressBar> Latest() =>
        _shown.GroupBy(bar => bar.Id).Select(bars => bars.Last()).Where(bar => !bar.IsCompleted).ToDictionary(bar => bar.Id);

    private void Step(Action action)
    {
        _clock.Now += TimeSpan.FromSeconds(1);
        action();
    }
}
