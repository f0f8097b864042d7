using BuildKit.Oci;
using BuildKit.Oci.Checking;
using BuildKit.Oci.Editing;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Oci;

/// <summary>What crane, skopeo and umoci make of layouts that buildx wrote, before and after a repair (docs/oci-layouts.md).</summary>
public sealed class OciToolTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string[], bool, bool> Builds => new()
    {
        { ["linux/amd64"], false, false },
        { ["linux/amd64"], false, true },
        { ["linux/amd64"], true, false },
        { ["linux/amd64", "linux/arm64"], false, false },
        { ["linux/amd64", "linux/arm64"], true, true },
    };

    [SkippableTheory]
    [MemberData(nameof(Builds))]
    public async Task After_a_repair_every_tool_takes_it_without_a_further_option(string[] platforms, bool attested, bool archive)
    {
        var layout = await BuildAsync(platforms, attested, archive, "a:1", "a:2");
        var digest = (await OciIndexReader.ListAsync(layout, false, default))[0].Digest;
        var transport = archive ? "oci-archive" : "oci";
        Assert.Contains("more than one image", (await SkopeoAsync("inspect", $"{transport}:{layout}")).Error, StringComparison.Ordinal);
        if (!archive)
            Assert.Contains("layout contains 2 entries", (await PushAsync(layout)).Error, StringComparison.Ordinal);

        var result = await new OciIndexRepair(layout, new()).RunAsync(default);
        Assert.Equal((digest, "docker.io/library/a:1"), (result.Digest, result.Name));
        (await SkopeoAsync("inspect", $"{transport}:{layout}")).OutputOrThrow();
        (await SkopeoAsync("copy", "--all", $"{transport}:{layout}", $"oci:{_directory["copy"]}:x")).OutputOrThrow();
        Assert.Equal(digest, (await OciIndexReader.ListAsync(_directory["copy"], false, default)).Single().Digest);
        if (!archive)
        {
            Assert.EndsWith("@" + digest, (await PushAsync(layout)).OutputOrThrow(), StringComparison.Ordinal);
            // umoci knows neither platforms nor attestations: it wants a name that leads to one manifest.
            await new OciIndexRepair(layout, new() { Platform = "linux/amd64" }).RunAsync(default);
            (await UmociAsync("unpack", "--rootless", "--image", $"{layout}:1", _directory["bundle"])).OutputOrThrow();
            Assert.Equal("amd64", File.ReadAllText(_directory["bundle/rootfs/file"]));
        }
        Assert.DoesNotContain((await OciLayoutCheck.RunAsync(layout, false, null, default)).Findings, finding => finding.Severity != OciFindingSeverity.Information);
    }

    [SkippableFact]
    public async Task Different_images_are_refused_until_one_is_named()
    {
        var layout = await BuildAsync(["linux/amd64"], false, false, "a:1");
        await BuildAsync(["linux/arm64"], false, false, "b:1");
        Assert.Equal(2, (await Assert.ThrowsAsync<OciImagesDifferException>(() => new OciIndexRepair(layout, new()).RunAsync(default))).Choices.Count);
        Assert.Contains("layout contains 2 entries", (await PushAsync(layout)).Error, StringComparison.Ordinal);

        await new OciIndexRepair(layout, new() { AsNestedIndex = true, Reference = "all:1" }).RunAsync(default);
        var pushed = (await PushAsync(layout)).OutputOrThrow();
        Assert.EndsWith("@" + (await OciIndexReader.ListAsync(layout, false, default)).Single().Digest, pushed, StringComparison.Ordinal);
        Assert.Contains("\"Architecture\": \"arm64\"", (await SkopeoAsync("--override-arch", "arm64", "inspect", $"oci:{layout}")).OutputOrThrow(), StringComparison.Ordinal);

        await new OciIndexRepair(layout, new() { Platform = "linux/arm64" }).RunAsync(default);
        (await UmociAsync("unpack", "--rootless", "--image", $"{layout}:1", _directory["bundle"])).OutputOrThrow();
        Assert.Equal("arm64", File.ReadAllText(_directory["bundle/rootfs/file"]));
    }

    [SkippableFact]
    public async Task Each_tool_has_its_own_rule()
    {
        var layout = await BuildAsync(["linux/amd64"], false, false, "a:1", "b:1");
        var image = (await OciIndexReader.ListAsync(layout, false, default))[0].Digest;

        // crane pushes the index of the layout, which is another image.
        var pushed = (await PushAsync(layout, "--index")).OutputOrThrow();
        Assert.EndsWith($"@{OciDigest.Of(File.ReadAllBytes(Path.Combine(layout, "index.json")))}", pushed, StringComparison.Ordinal);

        // skopeo takes the first of several, and looks at short names only.
        (await SkopeoAsync("inspect", $"oci:{layout}:1")).OutputOrThrow();
        Assert.Contains("no descriptor found for reference", (await SkopeoAsync("inspect", $"oci:{layout}:docker.io/library/a:1")).Error, StringComparison.Ordinal);

        // umoci takes none of several, 'latest' where nothing is said, and no directory without its file.
        Assert.Contains("tag is ambiguous: 1", (await UmociAsync("stat", "--image", $"{layout}:1")).Error, StringComparison.Ordinal);
        Assert.Contains("tag is not found: latest", (await UmociAsync("unpack", "--rootless", "--image", layout, _directory["bundle"])).Error, StringComparison.Ordinal);
        File.Delete(Path.Combine(layout, "oci-layout"));
        Assert.Contains("read oci-layout: invalid image detected", (await UmociAsync("stat", "--image", $"{layout}:1")).Error, StringComparison.Ordinal);

        // crane misses neither that file nor names.
        await OciReferences.RemoveAsync(layout, image, removeEntry: false, default);
        File.Delete(Path.Combine(layout, "oci-layout"));
        Assert.EndsWith("@" + image, (await PushAsync(layout)).OutputOrThrow(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Docker_with_the_classic_store_wants_its_own_form()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var archive = await BuildAsync(["linux/amd64"], false, true, $"oci-tools-{Guid.NewGuid():N}:1");
        Assert.Contains("blobs/json: no such file or directory", (await engine.DockerAsync("load", "--input", archive)).Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Docker_loads_a_repaired_archive_and_one_named_by_us()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        var name = $"oci-tools-{Guid.NewGuid():N}";
        var archive = await BuildAsync(["linux/amd64"], false, true, $"{name}:1", $"{name}:2");
        await new OciIndexRepair(archive, new() { Reference = $"{name}:2" }).RunAsync(default);
        Assert.Equal($"Loaded image: {name}:2", (await engine.DockerAsync("load", "--input", archive)).OutputOrThrow());
        await OciReferences.SetAsync(archive, new() { Reference = $"{name}:3" }, default);
        Assert.Equal($"Loaded image: {name}:2\nLoaded image: {name}:3", (await engine.DockerAsync("load", "--input", archive)).OutputOrThrow());
        (await engine.DockerAsync("rmi", $"{name}:2", $"{name}:3")).OutputOrThrow();
    }

    /// <summary>Builds with buildx, into one layout, an image whose file tells its platform.</summary>
    private async Task<string> BuildAsync(string[] platforms, bool attested, bool archive, params string[] names)
    {
        var daemon = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        var buildx = await TestEngines.GetProgramAsync("buildx");
        foreach (var architecture in (string[])["amd64", "arm64"])
        {
            Directory.CreateDirectory(_directory[$"context/{architecture}"]);
            await File.WriteAllTextAsync(_directory[$"context/{architecture}/file"], architecture);
        }
        await File.WriteAllTextAsync(_directory["context/Dockerfile"], "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH/file /file\nCMD [\"/file\"]\n");
        string[] config = [$"BUILDX_CONFIG={_directory["buildx"]}", $"DOCKER_CONFIG={_directory["docker"]}", buildx];
        if (!Directory.Exists(_directory["buildx"]))
            (await CommandResult.RunAsync("env", [.. config, "create", "--name", "tools", "--driver", "remote", daemon.Address.ToString()])).OutputOrThrow();
        var path = _directory[archive ? "layout.tar" : "layout"];
        (await CommandResult.RunAsync("env",
            [
                .. config, "--builder", "tools", "build", "--quiet", "--platform", string.Join(',', platforms), $"--provenance={attested}".ToLowerInvariant(),
                "--output", $"type=oci,tar={archive},\"name={string.Join(',', names)}\",dest={path}".Replace("True", "true", StringComparison.Ordinal).Replace("False", "false", StringComparison.Ordinal),
                _directory["context"],
            ])).OutputOrThrow();
        return path;
    }

    private static async Task<CommandResult> PushAsync(string layout, params string[] options)
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        return await TestEngines.RunProgramAsync("crane", ["push", "--insecure", .. options, layout, $"{registry.Address.Authority}/oci-tools/{Guid.NewGuid():N}:x"]);
    }

    private static Task<CommandResult> SkopeoAsync(params string[] arguments) => TestEngines.RunProgramAsync("skopeo", ["--insecure-policy", .. arguments]);

    private static Task<CommandResult> UmociAsync(params string[] arguments) => TestEngines.RunProgramAsync("umoci", arguments);
}
