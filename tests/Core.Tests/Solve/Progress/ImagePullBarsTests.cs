using BuildKit.Docker;
using BuildKit.Solve.Progress;
using Xunit;

namespace BuildKit.Tests.Solve.Progress;

public sealed class ImagePullBarsTests
{
    private readonly ManualClock _clock = new();
    private readonly List<ProgressBar> _shown = [];
    private readonly ImagePullBars _bars;

    public ImagePullBarsTests() => _bars = new ImagePullBars("app:1", _shown.Add, _clock);

    [Fact]
    public void ABarForTheImageAndOneForEveryLayerThatMoves()
    {
        Step("Pulling from app", null);
        Assert.Equal((0, "Pulling app:1", "Pulling from app  0.0s", null), Seen(_shown.Single()));
        Step("Pulling fs layer", "aaa");
        Step("Waiting", "bbb");
        Step("Already exists", "ccc");
        Step("Downloading", "aaa", 1_000_000, 4_000_000);
        Step("Downloading", "bbb", 2_000_000, 2_000_000);
        Step("Download complete", "bbb");

        var latest = _shown.GroupBy(bar => bar.Id).ToDictionary(bars => bars.Key, bars => bars.Last());
        Assert.Equal((0, "Pulling app:1", "1/3 layers  3.00MB / 6.00MB  6.0s", 33), Seen(latest[0]));
        Assert.Equal((1, "aaa", "Downloading 1.00MB / 4.00MB", 25), Seen(latest[1]));
        Assert.True(latest[2].IsCompleted);
        Assert.Equal([0, 1, 2], latest.Keys.Order());

        Step("Extracting", "aaa");
        Assert.Equal((1, "aaa", "Extracting", null), Seen(_shown.Last(bar => bar.Id == 1)));
        Step("Pull complete", "aaa");
        Step("Pull complete", "bbb");
        _bars.Complete();
        Assert.Equal((0, "Pulling app:1", "3/3 layers  6.00MB / 6.00MB  9.0s", 100), Seen(_shown[^1]));
        Assert.All(_shown.GroupBy(bar => bar.Id), bars => Assert.True(bars.Last().IsCompleted));
    }

    [Fact]
    public void NotOftenerThanAPersonCanRead()
    {
        for (var i = 0; i < 1000; i++)
            _bars.Update(new ImagePullEvent("aaa", "Downloading", i, 1000));
        Assert.Equal(2, _shown.Count);
        _clock.Now += IProgressDisplay.RefreshInterval;
        _bars.Refresh();
        Assert.Equal(99, _shown[^1].PercentComplete);
    }

    private void Step(string status, string? layer, long current = 0, long total = 0)
    {
        _bars.Update(new ImagePullEvent(layer, status, current, total));
        _clock.Now += TimeSpan.FromSeconds(1);
    }

    private static (int Id, string Activity, string Status, int? Percent) Seen(ProgressBar bar) => (bar.Id, bar.Activity, bar.Status, bar.PercentComplete);
}
