using System.Text.Json.Nodes;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Images exported into layout directories (<c>tar=false</c>).</summary>
public sealed class LayoutExportTests
{
    private static readonly Dictionary<string, string> Directly = new() { ["tar"] = "false" };

    private static SolveOutput Layout(string path, string type = "oci", params (string Key, string Value)[] attributes)
    {
        var all = new Dictionary<string, string>(Directly);
        foreach (var (key, value) in attributes)
            all[key] = value;
        return new SolveOutput { Type = type, Destination = path, Attributes = all };
    }

    private static Dictionary<string, byte[]> Read(string directory) => Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
        .ToDictionary(path => Path.GetRelativePath(directory, path), File.ReadAllBytes);

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd, "oci")]
    [InlineData(EngineKind.BuildkitdUnix, "oci")]
    [InlineData(EngineKind.BuildkitdUnix, "docker")]
    public async Task TheDirectoryIsTheOneThatBuildxMakes(EngineKind kind, string type)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", $"FROM {engine.BaseImage}\nCOPY f /\nRUN echo made > /made\n").Write("f", Guid.NewGuid().ToString());
        using var outputs = new BuildContextDirectory();
        var request = new SolveRequest
        {
            Context = context.Path,
            BuildArgs = new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = "1700000000" },
            Tags = ["docker.io/library/app:1", "example.test/team/app:2.0"],
        };

        // Twice, so that the second finds an index and blobs.
        foreach (var _ in new[] { 1, 2 })
        {
            await BuildByTheOtherToolAsync();
            var result = await EngineConnection.SolveAsync(engine, request with { Outputs = [Layout(outputs.At("ours"), type, ("rewrite-timestamp", "true"))] });
            Assert.Equal(outputs.At("ours"), Assert.Single(result.Outputs).Destination);

            Assert.Equal(Read(outputs.At("theirs")).OrderBy(file => file.Key), Read(outputs.At("ours")).OrderBy(file => file.Key));
            Assert.Equal(["blobs", "index.json", "oci-layout"], Directory.EnumerateFileSystemEntries(outputs.At("ours")).Select(Path.GetFileName).Order());
        }

        // buildx for an Engine; for a buildkitd buildctl, which has the same client below.
        async Task BuildByTheOtherToolAsync()
        {
            var theirs = $"type={type},tar=false,rewrite-timestamp=true,dest={outputs.At("theirs")}";
            if (engine.IsDocker)
            {
                await TestEngines.GetProgramAsync("buildx");
                (await engine.DockerAsync(
                    ["buildx", "build", "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "-t", "app:1", "-t", "example.test/team/app:2.0", "--output", theirs, context.Path]))
                    .OutputOrThrow();
                return;
            }
            (await CommandResult.RunAsync(
                await TestEngines.GetProgramAsync("buildctl"),
                ["--addr", engine.Address.OriginalString, "build", "--frontend", "dockerfile.v0", "--local", $"context={context.Path}", "--local", $"dockerfile={context.Path}",
                    "--opt", "build-arg:SOURCE_DATE_EPOCH=1700000000", "--output", $"{theirs},\"name=docker.io/library/app:1,example.test/team/app:2.0\""])).OutputOrThrow();
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.BuildkitdTls)]
    [InlineData(EngineKind.Docker26Containerd)]
    public async Task ALayoutGrowsBesideAnotherOutput(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var outputs = new BuildContextDirectory();
        var unique = Guid.NewGuid().ToString();
        var request = new SolveRequest { DockerfileText = $"FROM {engine.BaseImage}\nRUN echo -n {unique} > /made\n" };
        await EngineConnection.SolveAsync(engine, request with { Tags = ["first:1"], Outputs = [Layout(outputs.At("layout"))] });
        var index = JsonNode.Parse(await File.ReadAllTextAsync(outputs.At("layout/index.json")))!;
        index["manifests"]![0]!["mine"] = "kept";
        await File.WriteAllTextAsync(outputs.At("layout/index.json"), index.ToJsonString());

        // The exporters have indexes of their own: the layout's is not asked for by FileSend, and an archive after it is not mistaken for another.
        var tar = new SolveOutput { Type = "oci", Destination = outputs.At("image.tar") };
        var files = new SolveOutput { Type = "local", Destination = Path.Combine(outputs.Path, "files") };
        var layout = Layout(outputs.At("layout"), "oci", ("compression", "gzip"), ("compression-level", "9"), ("force-compression", "true"));
        await EngineConnection.SolveAsync(engine, request with { Tags = ["second:2"], Outputs = [files, layout, tar] });

        Assert.Equal(unique, await File.ReadAllTextAsync(Path.Combine(files.Destination, "made")));
        Assert.Contains("kept", await File.ReadAllTextAsync(outputs.At("layout/index.json")), StringComparison.Ordinal);
        await Skopeo.RunAsync("inspect", $"oci-archive:{tar.Destination}:2");
        foreach (var tag in new[] { "1", "2" })
            await Skopeo.RunAsync("copy", $"oci:{outputs.At("layout")}:{tag}", $"dir:{outputs.At($"copy{tag}")}");
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task ABuildThatFailsLeavesNothing(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var outputs = new BuildContextDirectory();
        var request = new SolveRequest { DockerfileText = $"FROM {engine.BaseImage}\nRUN echo {Guid.NewGuid()} > /made\n" };
        // The second output fails when the first has been written, or at least begun.
        var missing = new SolveOutput { Type = "image", Attributes = new Dictionary<string, string> { ["push"] = "true", ["name"] = "127.0.0.1:9/nobody/listens:1" } };
        var broken = request with { Outputs = [Layout(outputs.At("deep/layout")), missing] };
        await EngineConnection.FailAsync(engine, broken);
        Assert.False(Directory.Exists(Path.Combine(outputs.Path, "deep", "layout")));

        await EngineConnection.SolveAsync(engine, new SolveRequest { DockerfileText = $"FROM {engine.BaseImage}\n", Outputs = [Layout(outputs.At("deep/layout"))] });
        var before = Read(outputs.At("deep/layout"));
        await EngineConnection.FailAsync(engine, broken);
        Assert.Equal(before, Read(outputs.At("deep/layout")));
        Assert.Contains("\"latest\"", await File.ReadAllTextAsync(outputs.At("deep/layout/index.json")), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task WhatCantBecomeALayoutIsRefusedBeforeTheBuild()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        using var outputs = new BuildContextDirectory();
        var request = new SolveRequest { DockerfileText = "FROM scratch\n", Outputs = [Layout(outputs.At("a")), Layout(outputs.At("b"))] };
        Assert.Equal("BuildKit.SeveralLayouts", (await EngineConnection.FailAsync(engine, request)).ErrorId);
        outputs.Write("broken/index.json", "{");
        Assert.Equal("BuildKit.OciLayoutInvalid", (await EngineConnection.FailAsync(engine, request with { Outputs = [Layout(outputs.At("broken"))] })).ErrorId);
    }
}
