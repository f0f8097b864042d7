using BuildKit.Solve;
using BuildKit.Solve.Progress;
using Xunit;
using static BuildKit.Tests.Solve.Progress.Events;

namespace BuildKit.Tests.Solve.Progress;

public sealed class PlainProgressWriterTests
{
    private readonly ManualClock _clock = new();
    private readonly List<string> _lines = [];
    private readonly PlainProgressWriter _writer;

    public PlainProgressWriterTests() => _writer = new PlainProgressWriter(_lines.Add, _clock);

    [Theory]
    [InlineData("failed")]
    [InlineData("linked")]
    public void WritesTheSameLinesAsBuildx(string recording)
    {
        foreach (var solveEvent in Recording.Events(recording))
            _writer.Update(solveEvent);
        _writer.Complete();

        Assert.Equal(Recording.PlainText(recording).TrimEnd().Split('\n'), _lines);
    }

    [Fact]
    public void BreaksOffAVertexForOneThatHasEnded()
    {
        Play(Vertex("slow", started: 0), Log("slow", "one\n", at: 0.5));
        Play(Vertex("quick", started: 0, completed: 1));
        Play(Log("slow", "two\n", at: 2));

        Assert.Equal(["#1 slow", "#1 0.500 one", "#1 ...", "", "#2 quick", "#2 DONE 1.0s", "", "#1 slow", "#1 2.000 two"], _lines);
    }

    [Fact]
    public void GivesTheWordToAVertexThatWaitedTooLong()
    {
        Play(Vertex("a", started: 0));
        Play(Vertex("b", started: 0), Log("b", "here\n"));
        Assert.Equal(["#1 a"], _lines);

        for (var second = 0; second < 11; second++)
        {
            _clock.Now += TimeSpan.FromSeconds(1);
            Play(Log("a", $"{second}\n", at: second));
        }

        var broken = _lines.IndexOf("#1 ...");
        Assert.Equal(["#1 ...", "", "#2 b", "#2 0.000 here"], _lines.Skip(broken).Take(4));
    }

    [Fact]
    public void WritesALineWhenItIsWhole()
    {
        var snowman = "☃\n"u8.ToArray();
        Play(Vertex("v", started: 0), Log("v", "par", at: 0.25));
        Assert.Equal(["#1 v"], _lines);

        Play(Log("v", "tial ", at: 11), Log("v", snowman[..1], at: 11), Log("v", [.. snowman[1..], .. "next"u8], at: 12));
        Assert.Equal(["#1 v", "#1 0.250 partial ☃"], _lines);

        Play(Vertex("v", started: 0, completed: 123.4));
        Assert.Equal(["#1 12.00 next", "#1 DONE 123.4s"], _lines[^2..]);
    }

    [Fact]
    public void WritesAPartOfAVertexOnlyWhenItHasMoved()
    {
        Play(Vertex("pull", started: 0), Status("pull", "sha256:1", 0, 100_000_000, at: 0));
        Play(Status("pull", "sha256:1", 1_000_000, 100_000_000, at: 0.2));
        Play(Status("pull", "sha256:1", 6_000_000, 100_000_000, at: 0.4));
        Play(Status("pull", "sha256:1", 6_500_000, 100_000_000, at: 6));
        Play(Status("pull", "sha256:1", 100_000_000, 100_000_000, at: 7, completed: 7));

        Assert.Equal(
            [
                "#1 pull", "#1 sha256:1 0B / 100.00MB", "#1 sha256:1 6.00MB / 100.00MB 0.4s", "#1 sha256:1 6.50MB / 100.00MB 6.0s",
                "#1 sha256:1 100.00MB / 100.00MB 7.0s done",
            ],
            _lines);
    }

    [Fact]
    public void SaysHowAVertexEnded()
    {
        Play(Vertex("cached", started: 0, completed: 0, cached: true));
        Play(Vertex("broken", started: 0, completed: 1, error: "exit code: 1"));
        Play(Vertex("stopped", started: 0, completed: 1, error: "rpc error: context canceled"));

        Assert.Equal(["#1 CACHED", "#2 ERROR: exit code: 1", "#3 CANCELED"], _lines.Where(line => line.Any(char.IsUpper)));
    }

    [Fact]
    public void WritesAWarningAtItsVertex()
    {
        Play(Vertex("v", started: 0), Warning("v", "as and FROM"), Vertex("v", started: 0, completed: 0));

        Assert.Equal(["#1 v", "#1 WARN: as and FROM", "#1 DONE 0.0s"], _lines);
    }

    [Fact]
    public void ShowsAGroupOnceAMemberThatCountsHasStarted()
    {
        Play(Vertex("x", started: 0, completed: 1, group: new SolveProgressGroup("g", "COPY --link", Weak: true)));
        Assert.Empty(_lines);

        Play(Vertex("y", started: 3, completed: 4, group: new SolveProgressGroup("g", "COPY --link", Weak: false)));
        Assert.Equal(["#1 COPY --link", "#1 DONE 2.0s"], _lines);
    }

    [Fact]
    public void ShowsNoMoreThanTenTimesASecond()
    {
        _writer.Update(Vertex("v", started: 0));
        _writer.Update(Log("v", "one\n"));
        Assert.Equal(["#1 v"], _lines);

        _writer.Refresh();
        Assert.Equal(["#1 v", "#1 0.000 one"], _lines);
    }

    /// <summary>Lets events arrive, the last of them when the writer is due to show them.</summary>
    private void Play(params SolveEvent[] events)
    {
        foreach (var solveEvent in events[..^1])
            _writer.Update(solveEvent);
        _clock.Now += TimeSpan.FromSeconds(1);
        _writer.Update(events[^1]);
    }
}
