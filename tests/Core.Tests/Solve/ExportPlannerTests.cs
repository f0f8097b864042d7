using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class ExportPlannerTests
{
    private static SolvePlan PlanOf(SolveRequest request, DaemonStore daemon)
    {
        var plan = new SolvePlan();
        ExportPlanner.AddTo(plan, request, new SolveDaemon(daemon));
        return plan;
    }

    private static List<PlannedExport> Plan(SolveRequest request, DaemonStore daemon) => PlanOf(request, daemon).Exports;

    private static SolveRequest Request(params SolveOutput[] outputs) => new() { Outputs = outputs, Tags = ["app:1", "app:2"] };

    [Theory]
    [InlineData(0, "moby")]
    [InlineData(1, "moby")]
    [InlineData(2, "image")]
    [InlineData(3, "image")]
    public void ImageIsTranslated(int daemon, string wireName)
    {
        var export = Assert.Single(Plan(Request(new SolveOutput { Type = "image" }), (DaemonStore)daemon));
        Assert.Equal(wireName, export.WireName);
        Assert.Equal("docker.io/library/app:1,docker.io/library/app:2", export.Attributes["name"]);
    }

    [Fact]
    public void AnEngineGetsItsImageWithoutBeingAsked()
    {
        var export = Assert.Single(Plan(Request(), DaemonStore.EngineContainerd));
        Assert.Equal("moby", export.WireName);
        Assert.Equal("true", export.Attributes["prefer-image-digest"]);
    }

    [Fact]
    public void BuildkitdKeepsTheCacheAloneUnlessAsked() => Assert.Empty(Plan(Request(), DaemonStore.Buildkitd));

    [Fact]
    public void CacheOnlySendsNoExporter() => Assert.Empty(Plan(Request(new SolveOutput { Type = "cacheonly" }), DaemonStore.EngineGraphdriver));

    [Fact]
    public void LoadAddsTheEnginesStoreToAnotherOutputOnce()
    {
        var local = new SolveOutput { Type = "local", Destination = "/out" };
        var exports = Plan(Request(local) with { Load = true }, DaemonStore.EngineContainerd);
        Assert.Equal(["local", "moby"], exports.Select(export => export.WireName));
        Assert.Single(Plan(Request(new SolveOutput { Type = "image" }) with { Load = true }, DaemonStore.EngineContainerd));
    }

    [Fact]
    public void AttributesOfTheUserWinOverTheTables()
    {
        var output = new SolveOutput { Type = "image", Attributes = new Dictionary<string, string> { ["prefer-image-digest"] = "false" } };
        Assert.Equal("false", Plan(Request(output), DaemonStore.EngineContainerd)[0].Attributes["prefer-image-digest"]);
    }

    [Theory]
    [InlineData("oci", "/x.tar", 0, "BuildKit.OutputNotSupported")]
    [InlineData("docker", "/x.tar", 0, "BuildKit.OutputNotSupported")]
    [InlineData("local", null, 1, "BuildKit.OutputNeedsDestination")]
    [InlineData("image", "/x.tar", 1, "BuildKit.OutputTakesNoDestination")]
    [InlineData("tar", "/", 1, "BuildKit.OutputIsDirectory")]
    [InlineData("nonsense", null, 1, "BuildKit.OutputUnknown")]
    public void WhatCannotBeIsRefusedByName(string type, string? destination, int daemon, string errorId)
    {
        var output = new SolveOutput { Type = type, Destination = destination };
        var error = Assert.Throws<BuildKitException>(() => Plan(Request(output), (DaemonStore)daemon));
        Assert.Equal(errorId, error.ErrorId);
        Assert.False(string.IsNullOrEmpty(error.RecommendedAction));
    }

    [Fact]
    public void SeveralPlatformsNeedTheContainerdStore()
    {
        var request = Request() with { Platforms = ["linux/amd64", "linux/arm64"] };
        Assert.Equal("BuildKit.MultiPlatformNotSupported", Assert.Throws<BuildKitException>(() => Plan(request, DaemonStore.EngineGraphdriver)).ErrorId);
        Assert.Single(Plan(request, DaemonStore.EngineContainerd));
    }

    [Fact]
    public void TwoOutputsCannotShareADestination()
    {
        var error = Assert.Throws<BuildKitException>(() => Plan(
            Request(new SolveOutput { Type = "tar", Destination = "/a.tar" }, new SolveOutput { Type = "oci", Destination = "/a.tar" }), DaemonStore.Buildkitd));
        Assert.Equal("BuildKit.OutputDestinationTwice", error.ErrorId);
    }

    [Fact]
    public void TheEnginesOwnNameStandsForImage()
    {
        var moby = new SolveOutput { Type = "moby" };
        Assert.Equal(("image", "moby"), Names(Plan(Request(moby), DaemonStore.EngineGraphdriver)[0]));
        Assert.Equal(("image", "image"), Names(Plan(Request(moby), DaemonStore.Buildkitd)[0]));

        static (string, string?) Names(PlannedExport export) => (export.Type, export.WireName);
    }

    [Theory]
    [InlineData(0, "moby", true)]
    [InlineData(1, "moby", false)]
    [InlineData(2, "image", false)]
    public void PushIsTheExportersOrTheEngines(int daemon, string wireName, bool byEngine)
    {
        foreach (var request in new[] { Request() with { Push = true }, Request(new SolveOutput { Type = "registry" }), Request(With("image", ("push", "1"))) })
        {
            var plan = PlanOf(request, (DaemonStore)daemon);
            var export = Assert.Single(plan.Exports);
            Assert.Equal(wireName, export.WireName);
            Assert.True(GoBoolean.Parse(export.Attributes["push"]));
            Assert.Equal(byEngine ? 1 : 0, plan.AfterSolve.OfType<EnginePush>().Count());
        }
    }

    [Fact]
    public void PushMarksImagesAndElseAddsOne()
    {
        var local = new SolveOutput { Type = "local", Destination = "/out" };
        var image = new SolveOutput { Type = "image" };
        Assert.Equal(["local", "image"], Plan(Request(local) with { Push = true }, DaemonStore.Buildkitd).Select(export => export.WireName));
        var exports = Plan(Request(local, image) with { Push = true }, DaemonStore.Buildkitd);
        Assert.Equal(2, exports.Count);
        Assert.Equal("true", exports[1].Attributes["push"]);
        Assert.False(exports[0].Attributes.ContainsKey("push"));
        // An Engine's store is loaded into and pushed from by one export, where buildx asks for two.
        Assert.Equal("true", Assert.Single(Plan(Request() with { Push = true, Load = true }, DaemonStore.EngineContainerd)).Attributes["push"]);
    }

    [Fact]
    public void APushNeedsATag()
    {
        var untagged = new SolveRequest { Push = true };
        foreach (var daemon in new[] { DaemonStore.EngineGraphdriver, DaemonStore.EngineContainerd, DaemonStore.Buildkitd })
            Assert.Equal("BuildKit.PushNeedsTag", Refusal(untagged, daemon).ErrorId);
        Assert.Equal("app", Plan(untagged with { Outputs = [With("image", ("name", "app"))] }, DaemonStore.Buildkitd)[0].Attributes["name"]);
    }

    [Fact]
    public void PushingByDigestTakesNoTagAndNoEngine()
    {
        var request = new SolveRequest { Tags = ["registry.local:5000/app"], Push = true, Outputs = [With("image", ("push-by-digest", "true"))] };
        Assert.Equal("registry.local:5000/app", Plan(request, DaemonStore.Buildkitd)[0].Attributes["name"]);
        Assert.Equal("BuildKit.PushByDigestTakesNoTag", Refusal(request with { Tags = ["registry.local:5000/app:1"] }, DaemonStore.Buildkitd).ErrorId);
        Assert.Equal("BuildKit.PushByDigestNotSupported", Refusal(request, DaemonStore.EngineContainerd).ErrorId);
        Assert.Equal("BuildKit.PushByDigestNotSupported", Refusal(request, DaemonStore.EngineGraphdriver).ErrorId);
    }

    [Fact]
    public void DockerWithoutAFileGoesToAnEngine()
    {
        var docker = Request(new SolveOutput { Type = "docker" });
        Assert.Equal(ExporterDestination.None, Plan(docker, DaemonStore.EngineContainerd)[0].DestinationKind);
        foreach (var daemon in new[] { DaemonStore.Buildkitd, DaemonStore.ContainerBuilder })
        {
            var export = Plan(docker, daemon)[0];
            Assert.Equal((ExporterDestination.Engine, "docker"), (export.DestinationKind, export.WireName));
            Assert.Equal(export.WireName, Assert.Single(Plan(Request() with { Load = true }, daemon)).WireName);
            Assert.Single(Plan(docker with { Load = true }, daemon));
        }
    }

    [Theory]
    [InlineData("oci")]
    [InlineData("docker")]
    public void NoTarMeansALayout(string type)
    {
        var output = With(type, ("tar", "0")) with { Destination = "/nowhere/layout" };
        var export = Plan(Request(output), DaemonStore.Buildkitd)[0];
        Assert.Equal((ExporterDestination.Layout, type, "0"), (export.DestinationKind, export.WireName, export.Attributes["tar"]));
        Assert.Equal(ExporterDestination.File, Plan(Request(output with { Attributes = new Dictionary<string, string>() }), DaemonStore.Buildkitd)[0].DestinationKind);
        Assert.Equal("BuildKit.OutputNeedsDestination", Refusal(Request(output with { Destination = null }), DaemonStore.Buildkitd).ErrorId);
        Assert.Equal("BuildKit.OutputNotToStream", Refusal(Request(output with { Destination = null, Stream = Stream.Null }), DaemonStore.Buildkitd).ErrorId);
        Assert.Equal("BuildKit.OutputIsFile", Refusal(Request(output with { Destination = Environment.ProcessPath }), DaemonStore.Buildkitd).ErrorId);
        Assert.Equal("BuildKit.OutputNotSupported", Refusal(Request(output), DaemonStore.EngineGraphdriver).ErrorId);
    }

    [Fact]
    public void AStreamTakesOneFile()
    {
        using var one = new MemoryStream();
        using var other = new MemoryStream();
        var tar = new SolveOutput { Type = "tar", Stream = one };
        Assert.Same(one, Plan(Request(tar), DaemonStore.Buildkitd)[0].Stream);
        Assert.Equal(2, Plan(Request(tar, tar with { Stream = other }), DaemonStore.Buildkitd).Count);
        Assert.Equal("BuildKit.OutputDestinationTwice", Refusal(Request(tar, new SolveOutput { Type = "oci", Stream = one }), DaemonStore.Buildkitd).ErrorId);
        Assert.Equal("BuildKit.OutputNotToStream", Refusal(Request(new SolveOutput { Type = "local", Stream = one }), DaemonStore.Buildkitd).ErrorId);
        Assert.Equal("BuildKit.OutputTakesNoDestination", Refusal(Request(new SolveOutput { Type = "image", Stream = one }), DaemonStore.Buildkitd).ErrorId);
        Assert.Equal("BuildKit.OutputNotSupported", Refusal(Request(new SolveOutput { Type = "oci", Stream = one }), DaemonStore.EngineGraphdriver).ErrorId);
    }

    [Fact]
    public void ADockerArchiveHoldsNoIndex()
    {
        var request = Request(new SolveOutput { Type = "docker", Destination = "/nowhere/x.tar" });
        var platforms = Refusal(request with { Platforms = ["linux/amd64", "linux/arm64"] }, DaemonStore.Buildkitd);
        Assert.Equal("BuildKit.ManifestListNotSupported", platforms.ErrorId);
        Assert.Contains("type=oci", platforms.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal("BuildKit.ManifestListNotSupported", Refusal(request with { Attestations = [new SolveAttestation { Type = "sbom" }] }, DaemonStore.Buildkitd).ErrorId);
        Assert.Single(Plan(request with { Attestations = [new SolveAttestation { Type = "provenance", Disabled = true }] }, DaemonStore.Buildkitd));
        Assert.Single(Plan(Request(new SolveOutput { Type = "oci", Destination = "/nowhere/x.tar" }) with { Platforms = ["linux/amd64", "linux/arm64"] }, DaemonStore.Buildkitd));
    }

    [Theory]
    [InlineData("compresion", "zstd", "'compression' may be meant")]
    [InlineData("nothing-like-it", "x", "no attribute 'nothing-like-it'")]
    [InlineData("push", "true", "no effect on the output 'oci'")]
    [InlineData("compression", "zip", "uncompressed, gzip, estargz, zstd")]
    public void WhatIsNotKnownIsPassedOnWithAWarning(string name, string value, string warning)
    {
        var plan = PlanOf(Request(With("oci", (name, value)) with { Destination = "/nowhere/x.tar" }), DaemonStore.Buildkitd);
        Assert.Contains(warning, Assert.Single(plan.Warnings), StringComparison.Ordinal);
        Assert.Equal(value, plan.Exports[0].Attributes[name]);
    }

    [Fact]
    public void WhatAClassicStoreIgnoresIsSaid()
    {
        var request = Request(With("image", ("compression", "zstd")));
        Assert.Contains("classic image store", Assert.Single(PlanOf(request, DaemonStore.EngineGraphdriver).Warnings), StringComparison.Ordinal);
        Assert.Empty(PlanOf(request, DaemonStore.EngineContainerd).Warnings);
    }

    [Theory]
    [InlineData("push", "yes", "BuildKit.OutputAttributeInvalid")]
    [InlineData("compression-level", "much", "BuildKit.OutputAttributeInvalid")]
    public void AValueThatCannotBeIsRefused(string name, string value, string errorId) =>
        Assert.Equal(errorId, Refusal(Request(With("image", (name, value))), DaemonStore.Buildkitd).ErrorId);

    [Fact]
    public void AnEmptyBooleanMeansYesAsInBuildKit() => Assert.Equal("true", Plan(Request(With("image", ("push", ""))), DaemonStore.Buildkitd)[0].Attributes["push"]);

    [Fact]
    public void NothingIsDeletedInADestination()
    {
        var output = With("local", ("mode", "delete")) with { Destination = "/out" };
        Assert.Equal("BuildKit.OutputModeNotSupported", Refusal(Request(output), DaemonStore.Buildkitd).ErrorId);
    }

    [Fact]
    public void AnUnknownTypeIsGuessed() =>
        Assert.StartsWith("Did you mean 'local'?", Refusal(Request(new SolveOutput { Type = "loacl" }), DaemonStore.Buildkitd).RecommendedAction, StringComparison.Ordinal);

    private static SolveOutput With(string type, params (string Name, string Value)[] attributes) =>
        new() { Type = type, Attributes = attributes.ToDictionary(pair => pair.Name, pair => pair.Value) };

    private static BuildKitException Refusal(SolveRequest request, DaemonStore daemon) => Assert.Throws<BuildKitException>(() => PlanOf(request, daemon));
}
