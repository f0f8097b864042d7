using System.Text.Json;
using BuildKit.Dockerfile;
using Xunit;

namespace BuildKit.Tests.Dockerfile;

/// <summary>Answers that today's frontends do not give, or give for files that are not on this side.</summary>
public sealed class CallReaderTests
{
    private static readonly DockerfileOrigin Remote = new("Dockerfile", null, null);

    // "FROM a\nRUN b\n"
    private const string Source = """{ "filename": "sub/Dockerfile", "data": "RlJPTSBhClJVTiBiCg==" }""";

    private static DockerfileLint Lint(string json) => CallReader.Lint(JsonSerializer.Deserialize(json, CallJson.Default.LintJson)!, Remote);

    [Fact]
    public void AFindingOutsideOfThisSideIsNamedByTheFrontend()
    {
        var lint = Lint($$"""
            { "warnings": [ { "ruleName": "R", "location": { "ranges": [ { "start": { "line": 1 }, "end": { "line": 1 } }, { "start": { "line": 2 } } ] } } ],
              "sources": [ {{Source}} ], "addedLater": 1 }
            """);
        var warning = Assert.Single(lint.Warnings);
        Assert.Equal(("sub/Dockerfile", 1, 2), (warning.File, warning.Line, warning.EndLine));
        Assert.Equal("sub/Dockerfile:1\n   1 | >>> FROM a\n   2 | >>> RUN b", warning.Excerpt);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""", "location": {}""")]
    [InlineData(""", "location": { "sourceIndex": -1, "ranges": [ { "start": { "line": 1 } } ] }""")]
    [InlineData(""", "location": { "sourceIndex": 1, "ranges": [ { "start": { "line": 1 } } ] }""")]
    [InlineData(""", "location": { "ranges": [ {} ] }""")]
    public void AFindingMayHaveNoPlace(string location)
    {
        var warning = Assert.Single(Lint($$"""{ "warnings": [ { "ruleName": "R"{{location}} } ], "sources": [ {{Source}} ] }""").Warnings);
        Assert.Equal((null, null, null, ""), (warning.File, warning.Line, warning.EndLine, warning.Excerpt));
        Assert.Empty(warning.Ranges);
    }

    [Fact]
    public void AnErrorIsKnownByItsWords()
    {
        var lint = Lint($$"""
            { "warnings": null, "sources": [ {{Source}} ],
              "buildError": { "message": "x: failed to resolve source metadata for x", "location": { "ranges": [ { "start": { "line": 1 } } ] } } }
            """);
        Assert.Equal("BuildKit.BaseImageNotFound", lint.Error?.ErrorId);
        Assert.EndsWith("\n\nsub/Dockerfile:1\n   1 | >>> FROM a\n   2 |     RUN b", lint.Error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CacheMountsOfAnOutlineAreRead()
    {
        const string Json = """{ "cache": [ { "ID": "go", "location": { "ranges": [ { "start": { "line": 3 } } ] } } ] }""";
        var outline = CallReader.Outline(JsonSerializer.Deserialize(Json, CallJson.Default.OutlineJson)!, Remote);
        Assert.Equal([new DockerfileOutlineMount("go", false, "Dockerfile", 3)], outline.Caches);
    }
}
