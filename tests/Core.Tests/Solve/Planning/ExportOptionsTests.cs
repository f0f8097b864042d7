using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using Xunit;

namespace BuildKit.Tests.Solve.Planning;

public sealed class ExportOptionsTests
{
    private static SolveRequest Request(params string[] annotations) =>
        Plans.Request with { Annotations = annotations, Outputs = [new SolveOutput { Type = "oci", Destination = "/nowhere/a.tar" }] };

    [Theory]
    [InlineData("k=v", "annotation.k=v")]
    [InlineData("k=", "annotation.k=")]
    [InlineData("k=a=b:c", "annotation.k=a=b:c")]
    [InlineData("manifest:k=v", "annotation-manifest.k=v")]
    [InlineData("index,manifest:k=v", "annotation-index.k=v annotation-manifest.k=v")]
    [InlineData("manifest[linux/aarch64]:k=v", "annotation-manifest[linux/arm64].k=v")]
    [InlineData("manifest-descriptor[arm]:k=v", "annotation-manifest-descriptor[linux/arm/v7].k=v")]
    [InlineData("index-descriptor[linux/arm64]:k=v", "annotation-index-descriptor.k=v")]
    public async Task AnnotationBecomesAnAttributeOfTheExporter(string written, string attributes)
    {
        await using var plan = await Request(written).PlanAsync();
        Assert.Equal(attributes, string.Join(' ', Assert.Single(plan.Exports).Attributes.Where(pair => pair.Key.StartsWith("annotation", StringComparison.Ordinal)).Select(pair => $"{pair.Key}={pair.Value}")));
    }

    [Theory]
    [InlineData("k", "BuildKit.InvalidAnnotation")]
    [InlineData("=v", "BuildKit.InvalidAnnotation")]
    [InlineData("a b=v", "BuildKit.InvalidAnnotation")]
    [InlineData("config:k=v", "BuildKit.InvalidAnnotation")]
    [InlineData("manifest[linux/arm64:k=v", "BuildKit.InvalidAnnotation")]
    [InlineData("manifest[nonsense]:k=v", "BuildKit.InvalidPlatform")]
    public Task AnnotationThatIsNoneIsRefused(string written, string errorId) => Request(written).RefusesAsync(errorId);

    [Theory]
    [InlineData("index:k=v")]
    [InlineData("manifest,index-descriptor:k=v")]
    public Task AnnotationOfAnIndexIsRefusedByTheClassicStore(string written) =>
        (Plans.Request with { Annotations = [written] }).RefusesAsync("BuildKit.IndexAnnotationNotSupported", Plans.Daemon(DaemonStore.EngineGraphdriver));

    [Fact]
    public async Task AnnotationThatTheClassicStoreDropsIsWarnedOf()
    {
        var request = Plans.Request with { Annotations = ["k=v"] };
        await using var classic = await request.PlanAsync(Plans.Daemon(DaemonStore.EngineGraphdriver));
        Assert.Contains("drops annotations", Assert.Single(classic.Warnings), StringComparison.Ordinal);
        await using var containerd = await request.PlanAsync(Plans.Daemon(DaemonStore.EngineContainerd));
        Assert.Empty(containerd.Warnings);
        Assert.Equal("v", containerd.Exports[0].Attributes["annotation.k"]);
    }
}
