using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class ResultTests
{
    [SkippableFact]
    public async Task AWarningSaysItsRuleAndItsPlaceOnce()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        using var context = new BuildContextDirectory().Write("my.Dockerfile", "\n\nFROM scratch as one\nCOPY my.Dockerfile /\n");
        var result = await SolveOperation.RunAsync(
            connection, new SolveRequest
            {
                Context = context.Path,
                Dockerfile = context.At("my.Dockerfile"),
                Platforms = ["linux/amd64", "linux/arm64"],
                Outputs = [new SolveOutput { Type = "cacheonly" }],
            }, null, default);
        var warning = Assert.Single(result.Warnings);
        Assert.Equal("FromAsCasing", warning.RuleName);
        Assert.Equal("my.Dockerfile", warning.File);
        Assert.Equal((3, 3), (warning.Line, warning.EndLine));
        Assert.Equal("https://docs.docker.com/go/dockerfile/rule/from-as-casing/", warning.Url);
        Assert.NotEmpty(warning.Detail);
        Assert.Contains("3 | >>> FROM scratch as one", warning.Excerpt, StringComparison.Ordinal);
        Assert.StartsWith("my.Dockerfile:3: FromAsCasing: ", warning.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AWarningOfOurOwnHasNeitherRuleNorPlace()
    {
        var warning = SolveWarning.From(new SolveVertexWarning("", 1, "Beware: something.", [], "", null));
        Assert.Equal((null, null, null, null, null), (warning.RuleName, warning.File, warning.Line, warning.Url, warning.Excerpt));
        Assert.Equal("Beware: something.", warning.ToString());
    }
}
