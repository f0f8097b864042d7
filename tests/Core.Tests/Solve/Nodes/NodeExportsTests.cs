using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using BuildKit.Tests.Solve.Planning;
using Xunit;

namespace BuildKit.Tests.Solve.Nodes;

public sealed class NodeExportsTests
{
    private static readonly SolveRequest Part = Plans.Request with { IsPart = true };

    [Fact]
    public async Task APushedPartHasItsRepositoriesAndNoTag()
    {
        var request = Part with
        {
            Tags = ["app", "example.com:5000/team/app:1", "example.com:5000/team/app:2"],
            Outputs = [new SolveOutput { Type = "registry", Attributes = new Dictionary<string, string> { ["registry.insecure"] = "true", ["annotation-index.k"] = "v" } }],
            Annotations = ["manifest-descriptor[linux/arm64]:d=1", "manifest:m=1"],
        };
        await using var plan = await request.PlanAsync();

        var attributes = Assert.Single(plan.Exports).Attributes;
        Assert.Equal("docker.io/library/app,example.com:5000/team/app", attributes["name"]);
        Assert.Equal(("true", "true"), (attributes["push"], attributes["push-by-digest"]));
        Assert.Equal("true", plan.FrontendAttributes["multi-platform"]);
        var image = plan.JoinedImage!;
        Assert.Equal(["docker.io/library/app:latest", "example.com:5000/team/app:1", "example.com:5000/team/app:2"], image.Names);
        Assert.Equal((false, true), (image.ByDigest, image.Insecure));
        Assert.Equal(["annotation-index.k", "annotation-manifest-descriptor[linux/arm64].d"], image.Annotations.Select(annotation => annotation.Attribute).Order());
    }

    [Fact]
    public async Task WhatIsPushedByDigestGetsNoTagAfterwardsEither()
    {
        await using var plan = await (Part with { Outputs = [SolveOutput.Parse("type=image,name=example.com/app,push=true,push-by-digest=true")] }).PlanAsync();
        Assert.Equal(["example.com/app"], plan.JoinedImage!.Names);
        Assert.True(plan.JoinedImage.ByDigest);
    }

    [Theory]
    [InlineData(DaemonStore.EngineContainerd)]
    [InlineData(DaemonStore.EngineGraphdriver)]
    internal async Task AnEngineKeepsItsPartButPushesNone(DaemonStore store)
    {
        var request = Part with { Tags = ["app"] };
        await (request with { Push = true }).RefusesAsync("BuildKit.NodesOutputNotSupported", Plans.Daemon(store));
        await using var plan = await request.PlanAsync(Plans.Daemon(store));
        Assert.Equal("moby", Assert.Single(plan.Exports).WireName);
        Assert.Null(plan.JoinedImage);
    }
}
