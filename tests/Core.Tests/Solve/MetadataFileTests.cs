using System.Text;
using System.Text.Json;
using BuildKit.Solve;
using BuildKit.Solve.Provenance;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class MetadataFileTests
{
    private const string Dockerfile = """
        ARG BASE
        FROM ${BASE} as build
        RUN echo "<hello> & ö" > /hello
        FROM scratch
        COPY --from=build /hello /hello
        COPY Dockerfile /Dockerfile
        """;

    private static JsonElement Parse(string path) => JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;

    /// <summary>What differs from one build to the next: references, digests of what holds the time, times, sizes, and what the machine was doing.</summary>
    private static bool IsStable(string path) =>
        !path.Contains("ref", StringComparison.Ordinal) && !path.Contains("digest", StringComparison.OrdinalIgnoreCase) && !path.Contains("size", StringComparison.Ordinal)
        && !path.Contains("sysUsage", StringComparison.Ordinal) && !path.Contains("created", StringComparison.Ordinal) && !path.Contains("/metadata/build", StringComparison.Ordinal)
        && !path.Contains("/vertex", StringComparison.Ordinal) && !path.Contains("/layers/", StringComparison.Ordinal) && !path.Contains("resourceUsage", StringComparison.Ordinal)
        && !path.EndsWith("local.sharedkeyhint", StringComparison.Ordinal);

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, "image", null)]
    [InlineData(EngineKind.Docker28Containerd, "image", null)]
    [InlineData(EngineKind.Docker26, "image", null)]
    [InlineData(EngineKind.Docker28Graphdriver, "local", null)]
    [InlineData(EngineKind.BuildkitdUnix, "oci", null)]
    [InlineData(EngineKind.BuildkitdUnix, "oci", "linux/amd64")]
    public async Task ItIsWhatBuildxWritesForTheSameBuild(EngineKind kind, string type, string? platform)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Dockerfile);
        using var files = new BuildContextDirectory();
        var output = type == "image" ? "type=image" : $"type={type},dest={files.At("theirs.out")}";
        string[] optional = [.. platform is null ? [] : new[] { "--platform", platform }, .. type == "local" ? [] : new[] { "--iidfile", files.At("theirs.id") }];
        (await Buildx.BuildAsync(
            engine, [], ["--build-arg", "BASE=" + engine.BaseImage, "--tag", "meta:1", "--tag", "other/meta:2", "--label", "a=b", "-o", output,
            "--metadata-file", files.At("theirs.json"), .. optional, context.Path])).OutputOrThrow();

        await using var connection = await EngineConnection.ConnectAsync(engine);
        var result = await SolveOperation.RunAsync(
            connection, new SolveRequest
            {
                Context = context.Path,
                BuildArgs = new Dictionary<string, string> { ["BASE"] = engine.BaseImage },
                Labels = new Dictionary<string, string> { ["a"] = "b" },
                Tags = ["meta:1", "other/meta:2"],
                Platforms = platform is null ? [] : [platform],
                Outputs = [new SolveOutput { Type = type, Destination = type == "image" ? null : files.At("ours.out") }],
                MetadataFile = files.At("ours.json"),
                ImageIdFile = type == "local" ? null : files.At("ours.id"),
            }, null, default);

        var ours = Parse(files.At("ours.json"));
        Assert.Equal(Buildx.Places(Parse(files.At("theirs.json")), IsStable), Buildx.Places(ours, IsStable));
        Assert.EndsWith("/" + result.Ref, ours.GetProperty("buildx.build.ref").GetString(), StringComparison.Ordinal);
        Assert.Equal(3, ours.GetProperty("buildx.build.ref").GetString()!.Split('/').Length);
        if (type != "local")
        {
            Assert.Equal(result.ImageDigest, ours.GetProperty("containerimage.digest").GetString());
            Assert.Equal(await File.ReadAllTextAsync(files.At("theirs.id")) == Parse(files.At("theirs.json")).GetProperty("containerimage.digest").GetString(),
                await File.ReadAllTextAsync(files.At("ours.id")) == result.ImageDigest);
            // An Engine with the containerd store knows images by their manifests.
            Assert.Equal(kind == EngineKind.Docker28Containerd ? result.ImageDigest : result.ConfigDigest, await File.ReadAllTextAsync(files.At("ours.id")));
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, false)]
    [InlineData(EngineKind.BuildkitdUnix, false)]
    [InlineData(EngineKind.BuildkitdUnix, true)]
    public async Task AllOfTheProvenanceAndTheWarningsAreWhatBuildxWritesToo(EngineKind kind, bool slsa1)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Dockerfile);
        using var files = new BuildContextDirectory();
        var slsa = slsa1 ? "1" : "0";
        (await Buildx.BuildAsync(
            engine, ["BUILDX_METADATA_PROVENANCE=max", "BUILDX_METADATA_WARNINGS=1"],
            "--build-arg", "BASE=" + engine.BaseImage, "--build-arg", "BUILDKIT_HISTORY_PROVENANCE_V1=" + slsa, "-o", $"type=local,dest={files.At("theirs.out")}",
            "--metadata-file", files.At("theirs.json"), context.Path)).OutputOrThrow();

        await using var connection = await EngineConnection.ConnectAsync(engine);
        var journal = new SolveJournal();
        var result = await SolveOperation.RunAsync(
            connection, new SolveRequest
            {
                Context = context.Path,
                BuildArgs = new Dictionary<string, string> { ["BASE"] = engine.BaseImage, ["BUILDKIT_HISTORY_PROVENANCE_V1"] = slsa },
                Outputs = [new SolveOutput { Type = "local", Destination = files.At("ours.out") }],
            }, new Recorder<SolveEvent>(journal.Add), default);
        var (provenance, trouble) = await RecordedProvenance.ReadAsync(connection.Invoker, result.Ref, default);
        Assert.Null(trouble);
        Assert.EndsWith(slsa1 ? "/v1" : "/v0.2", Assert.Single(provenance).PredicateType, StringComparison.Ordinal);

        var ours = MetadataFile.Format(
            result.ExporterResponse, MetadataFile.BuildRef("remote", "remote0", result.Ref), provenance, journal.Warnings, new MetadataSettings(MetadataProvenance.Max, Warnings: true));

        var expected = Buildx.Places(Parse(files.At("theirs.json")), IsStable);
        Assert.Contains(expected, place => place.StartsWith("/buildx.build.warnings[]/short = ", StringComparison.Ordinal));
        Assert.Contains(expected, place => place.Contains("/buildConfig/llbDefinition[]/op/Op/exec/meta/args[] = ", StringComparison.Ordinal));
        Assert.Equal(expected, Buildx.Places(JsonDocument.Parse(ours).RootElement, IsStable));
    }

    [SkippableFact]
    public async Task ABuildThatFailsLeavesNoIdOfAnother()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        using var files = new BuildContextDirectory().Write("id", "sha256:of-an-earlier-one");
        var request = new SolveRequest { DockerfileText = $"FROM {engine.BaseImage}\nRUN false\n", MetadataFile = files.At("m.json"), ImageIdFile = files.At("id") };
        await Assert.ThrowsAsync<SolveFailedException>(() => SolveOperation.RunAsync(connection, request, null, default));
        Assert.Empty(Directory.GetFileSystemEntries(files.Path));
    }

    [SkippableFact]
    public async Task WhatGivesNoImageGivesNoId()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        using var files = new BuildContextDirectory().Write("id", "sha256:of-an-earlier-one");
        var request = new SolveRequest { DockerfileText = "FROM scratch\nWORKDIR /here\n", ImageIdFile = files.At("id") };

        var refused = await Assert.ThrowsAsync<BuildKitException>(() => SolveOperation.RunAsync(
            connection, request with { Outputs = [new SolveOutput { Type = "tar", Destination = files.At("x.tar") }] }, null, default));
        Assert.Equal("BuildKit.ImageIdFileWithoutImage", refused.ErrorId);
        Assert.Equal([files.At("id")], Directory.GetFileSystemEntries(files.Path));

        var cached = await SolveOperation.RunAsync(connection, request with { Outputs = [new SolveOutput { Type = "cacheonly" }] }, null, default);
        Assert.Contains(cached.Warnings, warning => warning.Short.Contains("no id to write", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(files.Path));
    }

    [SkippableFact]
    public async Task APlaceThatCantBeWrittenIsSaidBeforeTheBuild()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        using var files = new BuildContextDirectory();
        var log = new EventLog();
        var failure = await Assert.ThrowsAsync<BuildKit.Session.FileSend.ExportException>(() => SolveOperation.RunAsync(
            connection, new SolveRequest { DockerfileText = $"FROM {engine.BaseImage}\nRUN echo built\n", MetadataFile = files.Path }, log, default));
        Assert.Equal("BuildKit.OutputDestinationInvalid", failure.ErrorId);
        Assert.Empty(log.Text);
    }

    [Fact]
    public void ValuesThatAreJsonInBase64BecomeObjects()
    {
        var response = new Dictionary<string, string>
        {
            ["object"] = Convert.ToBase64String(Encoding.UTF8.GetBytes("""{"b":1,"a":"<&>ö"}""")),
            ["list"] = Convert.ToBase64String(Encoding.UTF8.GetBytes("""[{"b":1}]""")),
            ["number"] = Convert.ToBase64String("17"u8),
            ["empty"] = Convert.ToBase64String("{}"u8),
            ["numbers"] = Convert.ToBase64String("[1]"u8),
            ["text"] = "plain",
            ["result.json"] = """{"warnings":[]}""",
        };
        var text = Encoding.UTF8.GetString(MetadataFile.Format(response, "b/n/r", [], [], default));
        Assert.Equal(
            """
            {
              "buildx.build.ref": "b/n/r",
              "empty": "e30=",
              "list": [
                {
                  "b": 1
                }
              ],
              "number": "MTc=",
              "numbers": "WzFd",
              "object": {
                "b": 1,
                "a": "<&>ö"
              },
              "result.json": {
                "warnings": []
              },
              "text": "plain"
            }
            """, text);
    }

    [Theory]
    [InlineData(null, null, "Min", false)]
    [InlineData("max", "1", "Max", true)]
    [InlineData("disabled", "no", "None", false)]
    [InlineData("false", "0", "None", false)]
    [InlineData("true", "true", "Min", true)]
    [InlineData("nonsense", "", "Min", false)]
    public void TheEnvironmentIsReadAsBuildxReadsIt(string? provenance, string? warnings, string expected, bool expectedWarnings)
    {
        var settings = MetadataSettings.Read(name => name == "BUILDX_METADATA_PROVENANCE" ? provenance : name == "BUILDX_METADATA_WARNINGS" ? warnings : null);
        Assert.Equal(expected, settings.Provenance.ToString());
        Assert.Equal(expectedWarnings, settings.Warnings);
    }

    [Theory]
    [InlineData("colima", null, "colima/colima/r")]
    [InlineData("unix:///var/run/docker.sock", null, "default/default/r")]
    [InlineData("mybuilder", "mybuilder0", "mybuilder/mybuilder0/r")]
    public void ABuildHasThreePartsToItsName(string builder, string? node, string expected) => Assert.Equal(expected, MetadataFile.BuildRef(builder, node, "r"));

    [Fact]
    public void AFileIsReplacedWholeAndKeepsItsMode()
    {
        using var files = new BuildContextDirectory().Write("there", "a longer text that was there");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(files.At("there"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.CreateSymbolicLink(files.At("link"), "there");
            ResultFile.Write(files.At("link"), "new"u8);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(files.At("there")));
            Assert.Equal("there", new FileInfo(files.At("link")).LinkTarget);
            File.Delete(files.At("link"));
        }
        else
        {
            ResultFile.Write(files.At("there"), "new"u8);
        }
        Assert.Equal("new", File.ReadAllText(files.At("there")));
        ResultFile.Write(files.At("deep/er/new"), "x"u8);
        Assert.Equal(["deep", "there"], Directory.GetFileSystemEntries(files.Path).Select(Path.GetFileName).Order());
    }
}
