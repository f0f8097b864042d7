using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Solve;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>A boot as the first step of a build.</summary>
public sealed class BootProgressTests
{
    private readonly Shown _shown = new();

    [Fact]
    public void StepsAndLayersAreStatusesOfOneVertex()
    {
        using (var boot = new BootProgress(_shown))
        {
            boot.Report(new BuilderBootEvent("pulling image x:1"));
            boot.Report(new BuilderBootEvent("pulling image x:1", Layer: new ImagePullEvent(null, "Pulling from x", 0, 0)));
            boot.Report(new BuilderBootEvent("pulling image x:1", Layer: new ImagePullEvent("ab12", "Downloading", 5, 10)));
            boot.Report(new BuilderBootEvent("pulling image x:1", Layer: new ImagePullEvent("ab12", "Extracting", 3, 10)));
            boot.Report(new BuilderBootEvent("pulling image x:1", IsCompleted: true));
            boot.Report(new BuilderBootEvent("creating container c"));
            boot.Report(new BuilderBootEvent("creating container c", IsCompleted: true));
        }
        Assert.Equal(
            [
                "[internal] booting buildkit started", "pulling image x:1", "downloading ab12 5/10", "downloading ab12 5/10 done", "extracting ab12 3/10", "extracting ab12 3/10 done",
                "pulling image x:1 done", "creating container c", "creating container c done", "[internal] booting buildkit done",
            ],
            _shown.Lines);
        Assert.Single(_shown.Vertexes);
    }

    [Fact]
    public void AFailureIsTheVertexs()
    {
        var boot = new BootProgress(_shown);
        boot.Report(new BuilderBootEvent("creating container c"));
        boot.Report(new BuilderBootEvent("creating container c", IsCompleted: true, Error: "no such network"));
        boot.Dispose();
        boot.Report(new BuilderBootEvent("too late"));
        Assert.Equal("[internal] booting buildkit done: no such network", _shown.Lines[^1]);
    }

    [Fact]
    public void WhatNeedsNoBootShowsNone()
    {
        using (new BootProgress(_shown))
        {
        }
        Assert.Empty(_shown.Lines);
    }

    private sealed class Shown : IProgress<SolveEvent>
    {
        public List<string> Lines { get; } = [];

        public HashSet<string> Vertexes { get; } = [];

        public void Report(SolveEvent value)
        {
            foreach (var vertex in value.Vertexes)
            {
                Vertexes.Add(vertex.Digest);
                Lines.Add($"{vertex.Name} {(vertex.Completed is null ? "started" : "done")}{(vertex.Error.Length > 0 ? ": " + vertex.Error : "")}");
            }
            foreach (var status in value.Statuses)
            {
                Vertexes.Add(status.Vertex);
                Lines.Add($"{status.Id}{(status.Total > 0 ? $" {status.Current}/{status.Total}" : "")}{(status.Completed is null ? "" : " done")}");
            }
        }
    }
}
