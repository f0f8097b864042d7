using BuildKit.Solve;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class ExportPlannerTests
{
    private static SolveRequest Request(params SolveOutput[] outputs) => new() { Outputs = outputs, Tags = ["app:1", "app:2"] };

    [Fact]
    public void EveryTypeHasARowForEveryDaemon()
    {
        foreach (var type in ExporterTable.Types)
            foreach (var daemon in Enum.GetValues<DaemonStore>())
                Assert.NotEmpty(ExporterTable.Find(type, daemon));
    }

    [Fact]
    public void EveryUnsupportedRowNamesTheWayOut() =>
        Assert.All(ExporterTable.Rows.Where(row => !row.Supported), row => Assert.False(string.IsNullOrEmpty(row.WayOut)));

    [Theory]
    [InlineData(0, "moby")]
    [InlineData(1, "moby")]
    [InlineData(2, "image")]
    public void ImageIsTranslated(int daemon, string wireName)
    {
        var export = Assert.Single(ExportPlanner.Plan(Request(new SolveOutput { Type = "image" }), (DaemonStore)daemon));
        Assert.Equal(wireName, export.WireName);
        Assert.Equal("docker.io/library/app:1,docker.io/library/app:2", export.Attributes["name"]);
    }

    [Fact]
    public void AnEngineGetsItsImageWithoutBeingAsked()
    {
        var export = Assert.Single(ExportPlanner.Plan(Request(), DaemonStore.EngineContainerd));
        Assert.Equal("moby", export.WireName);
        Assert.Equal("true", export.Attributes["prefer-image-digest"]);
    }

    [Fact]
    public void BuildkitdKeepsTheCacheAloneUnlessAsked() => Assert.Empty(ExportPlanner.Plan(Request(), DaemonStore.Buildkitd));

    [Fact]
    public void CacheOnlySendsNoExporter() => Assert.Empty(ExportPlanner.Plan(Request(new SolveOutput { Type = "cacheonly" }), DaemonStore.EngineGraphdriver));

    [Fact]
    public void LoadAddsTheEnginesStoreToAnotherOutputOnce()
    {
        var local = new SolveOutput { Type = "local", Destination = "/out" };
        var exports = ExportPlanner.Plan(Request(local) with { Load = true }, DaemonStore.EngineContainerd);
        Assert.Equal(["local", "moby"], exports.Select(export => export.WireName));
        Assert.Single(ExportPlanner.Plan(Request(new SolveOutput { Type = "image" }) with { Load = true }, DaemonStore.EngineContainerd));
    }

    [Fact]
    public void AttributesOfTheUserWinOverTheTables()
    {
        var output = new SolveOutput { Type = "image", Attributes = new Dictionary<string, string> { ["prefer-image-digest"] = "false" } };
        Assert.Equal("false", ExportPlanner.Plan(Request(output), DaemonStore.EngineContainerd)[0].Attributes["prefer-image-digest"]);
    }

    [Theory]
    [InlineData("oci", "/x.tar", 0, "BuildKit.OutputNotSupported")]
    [InlineData("docker", "/x.tar", 0, "BuildKit.OutputNotSupported")]
    [InlineData("docker", null, 2, "BuildKit.OutputNotSupported")]
    [InlineData("local", null, 1, "BuildKit.OutputNeedsDestination")]
    [InlineData("image", "/x.tar", 1, "BuildKit.OutputTakesNoDestination")]
    [InlineData("tar", "/", 1, "BuildKit.OutputIsDirectory")]
    [InlineData("nonsense", null, 1, "BuildKit.OutputUnknown")]
    public void WhatCannotBeIsRefusedByName(string type, string? destination, int daemon, string errorId)
    {
        var output = new SolveOutput { Type = type, Destination = destination };
        var error = Assert.Throws<BuildKitException>(() => ExportPlanner.Plan(Request(output), (DaemonStore)daemon));
        Assert.Equal(errorId, error.ErrorId);
        Assert.False(string.IsNullOrEmpty(error.RecommendedAction));
    }

    [Fact]
    public void SeveralPlatformsNeedTheContainerdStore()
    {
        var request = Request() with { Platforms = ["linux/amd64", "linux/arm64"] };
        Assert.Equal("BuildKit.MultiPlatformNotSupported", Assert.Throws<BuildKitException>(() => ExportPlanner.Plan(request, DaemonStore.EngineGraphdriver)).ErrorId);
        Assert.Single(ExportPlanner.Plan(request, DaemonStore.EngineContainerd));
    }

    [Fact]
    public void TwoOutputsCannotShareADestination()
    {
        var error = Assert.Throws<BuildKitException>(() => ExportPlanner.Plan(
            Request(new SolveOutput { Type = "tar", Destination = "/a.tar" }, new SolveOutput { Type = "oci", Destination = "/a.tar" }), DaemonStore.Buildkitd));
        Assert.Equal("BuildKit.OutputDestinationTwice", error.ErrorId);
    }
}
