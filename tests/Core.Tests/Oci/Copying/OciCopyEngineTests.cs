using BuildKit.Oci;
using BuildKit.Oci.Checking;
using BuildKit.Oci.Copying;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Session.FileSend;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Oci.Copying;

/// <summary>Copies into real Docker Engines and out of them.</summary>
public sealed class OciCopyEngineTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [SkippableFact]
    public async Task Round_the_circle_the_digest_stays_with_containerds_store()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        var (registry, image) = await AddImageAsync();
        var name = $"copies/{Guid.NewGuid():N}:1";
        await using var connection = await EngineConnection.ConnectAsync(engine);
        OciCopyOptions OnEngine(OciCopyOptions options) => options with { Engine = connection };

        var seen = new SavedFiles();
        var results = new[]
        {
            await Copies.RunAsync(image, _directory["first"]),
            await Copies.RunAsync(_directory["first"], $"{registry}/{name}"),
            await Copies.RunAsync($"{registry}/{name}", $"docker-daemon:{name}", OnEngine),
            await Copies.RunAsync($"docker-daemon:{name}", $"oci-archive:{_directory["image.tar"]}", OnEngine, progress: seen),
            await Copies.RunAsync(_directory["image.tar"], _directory["last"]),
        };
        Assert.Single(results.Select(result => result.Digest).Distinct());
        Assert.True(seen.AreNobodyElses);
        Assert.Equal($"docker.io/{name}", Assert.Single(await OciIndexReader.ListAsync(_directory["last"], false, default)).ImageName);
        Assert.Equal("the content", await RunAsync(engine, name));
        (await engine.DockerAsync("rmi", name)).OutputOrThrow();
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker20)]
    public async Task The_classic_store_keeps_the_images_id(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var (_, image) = await AddImageAsync();
        var name = $"copies/{Guid.NewGuid():N}:1";
        await using var connection = await EngineConnection.ConnectAsync(engine);

        await Copies.RunAsync(image, $"docker-daemon:{name}", options => options with { Engine = connection });
        Assert.Equal("the content", await RunAsync(engine, name));
        await Copies.RunAsync($"docker-daemon:{name}", _directory["saved"], options => options with { Engine = connection });
        await Copies.RunAsync(image, _directory["original"], options => options with { NoAttestation = true });
        var id = await ConfigAsync(_directory["original"]);
        Assert.Equal(id, await ConfigAsync(_directory["saved"]));
        Assert.Equal(id, (await engine.DockerAsync("inspect", "--format", "{{.Id}}", name)).OutputOrThrow());
        (await engine.DockerAsync("rmi", name)).OutputOrThrow();
    }

    [SkippableFact]
    public async Task What_refers_to_an_image_stays_behind()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        var (_, image) = await AddImageAsync();
        var name = $"copies/{Guid.NewGuid():N}:1";
        using var layout = new TestLayout();
        await Copies.RunAsync(image, layout.Path, options => options with { NoAttestation = true });
        var root = Assert.Single(OciIndex.Parse(await File.ReadAllBytesAsync(layout.IndexPath)).Manifests);
        layout.WriteIndex(root, layout.AddImage("a signature", subject: root));
        await using var connection = await EngineConnection.ConnectAsync(engine);

        var result = await Copies.RunAsync($"{layout.Path}@{root.Digest}", $"docker-daemon:{name}", options => options with { Engine = connection, IncludeReferrers = true });
        Assert.Equal((0, root.Digest.ToString()), (result.Referrers, result.Digest));
        Assert.Equal("the content", await RunAsync(engine, name));
        (await engine.DockerAsync("rmi", name)).OutputOrThrow();
    }

    [SkippableFact]
    public async Task Docker_load_and_docker_save_use_the_same_archives()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker20);
        var (_, image) = await AddImageAsync();
        var name = $"copies/{Guid.NewGuid():N}:1";
        await Copies.RunAsync(image, $"docker-archive:{_directory["load.tar"]}:{name}");
        (await engine.DockerAsync("load", "-i", _directory["load.tar"])).OutputOrThrow();
        (await engine.DockerAsync("tag", name, name + "-too")).OutputOrThrow();
        (await engine.DockerAsync("save", "-o", _directory["saved.tar"], name, name + "-too", engine.BaseImage)).OutputOrThrow();

        await Copies.RunAsync($"docker-archive:{_directory["saved.tar"]}:{name}-too", _directory["copy"]);
        await Copies.RunAsync(image, _directory["original"], options => options with { NoAttestation = true });
        Assert.Equal(await ConfigAsync(_directory["original"]), await ConfigAsync(_directory["copy"]));
        Assert.IsType<OciImagesDifferException>(await Copies.FailAsync(_directory["saved.tar"], _directory["copy"]));
        (await engine.DockerAsync("rmi", name, name + "-too")).OutputOrThrow();
    }

    [SkippableFact]
    public async Task Of_several_platforms_what_the_engine_has_comes_out_of_containerds_store()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Containerd);
        var image = await AddTwoPlatformsAsync();
        (await engine.DockerAsync("pull", "--quiet", image)).OutputOrThrow();
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var result = await Copies.RunAsync($"docker-daemon:{image}", _directory["copy"], options => options with { Engine = connection });
        Assert.Equal(["linux/amd64"], result.Platforms.Select(platform => platform.ToString()));
        Assert.NotEqual(result.Digest, (await Copies.RunAsync(image, _directory["whole"])).Digest);
        Assert.DoesNotContain((await OciLayoutCheck.RunAsync(_directory["copy"], false, null, default)).Findings, finding => finding.Severity == OciFindingSeverity.Error);
        (await engine.DockerAsync("rmi", image)).OutputOrThrow();
    }

    [SkippableFact]
    public async Task Of_several_platforms_its_own_goes_into_the_classic_store_unless_one_is_named()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var image = await AddTwoPlatformsAsync();
        var name = $"copies/{Guid.NewGuid():N}:1";
        await using var connection = await EngineConnection.ConnectAsync(engine);
        foreach (var (named, architecture) in new[] { ("", "amd64"), ("linux/arm64", "arm64") })
        {
            var result = await Copies.RunAsync(image, $"docker-daemon:{name}", options => options with { Engine = connection, Platforms = named.Length > 0 ? [named] : [] });
            Assert.Equal([$"linux/{architecture}"], result.Platforms.Select(platform => platform.ToString()));
            Assert.Equal(architecture, (await engine.DockerAsync("inspect", "--format", "{{.Architecture}}", name)).OutputOrThrow());
        }
        (await engine.DockerAsync("rmi", name)).OutputOrThrow();
    }

    [SkippableFact]
    public async Task What_an_engine_does_not_have_or_refuses_is_an_error()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        OciCopyOptions OnEngine(OciCopyOptions options) => options with { Engine = connection };
        Assert.Equal("BuildKit.ImageNotFound", (await Copies.FailAsync("docker-daemon:nothing:1", _directory["copy"], OnEngine)).ErrorId);
        Assert.False(Directory.Exists(_directory["copy"]));

        // What is in it is no layer, which only the Engine finds out.
        using var layout = new TestLayout();
        layout.WriteIndex(layout.AddImage("no tar at all"));
        Assert.Equal("BuildKit.ImageLoadFailed", (await Copies.FailAsync(layout.Path, "docker-daemon:copies/broken:1", OnEngine)).ErrorId);
        Assert.NotEqual(0, (await engine.DockerAsync("inspect", "copies/broken:1")).ExitCode);
    }

    [SkippableFact]
    public async Task A_copy_that_is_stopped_leaves_nothing_on_the_engine()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        // Random bytes do not compress: the Engine has a part of it when the copy is stopped, and not the whole.
        var image = await OptionBuilds.PushAsync("copies/large", "FROM ${BASE}\nRUN head -c 33554432 /dev/urandom > /file\n");
        var (name, next) = ($"copies/{Guid.NewGuid():N}:1", $"copies/{Guid.NewGuid():N}:2");
        using var stop = new CancellationTokenSource();
        var options = new OciCopyOptions { Source = OciAddress.Parse(image), Destination = OciAddress.Parse($"docker-daemon:{name}"), Engine = connection };
        var midst = new Recorder<OciCopyEvent>(news =>
        {
            if (news is { Size: > 1 << 24, Current: > 1 << 20 })
                stop.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => OciCopy.RunAsync(options, midst, stop.Token).WaitAsync(Poll.Patience));

        // What the Engine goes on with is done by the time that it has taken another image.
        var (_, other) = await AddImageAsync();
        await Copies.RunAsync(other, $"docker-daemon:{next}", options => options with { Engine = connection });
        Assert.NotEqual(0, (await engine.DockerAsync("inspect", name)).ExitCode);
        (await engine.DockerAsync("rmi", next)).OutputOrThrow();
    }

    private static async Task<(string Registry, string Image)> AddImageAsync()
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        return (registry.Address.Authority, await OptionBuilds.PushAsync("copies/source", "FROM ${BASE}\nARG SALT\nRUN echo ${SALT} > /salt && printf 'the content' > /file\n"));
    }

    private static Task<string> AddTwoPlatformsAsync() => OptionBuilds.PushAsync(
        "copies/two", "FROM scratch\nARG SALT\nARG TARGETARCH\nCOPY <<EOF /file\n${SALT} ${TARGETARCH}\nEOF\n", request => request with { Platforms = ["linux/amd64", "linux/arm64"] });

    private static async Task<string> RunAsync(TestEngine engine, string name) => (await engine.DockerAsync("run", "--rm", "--network", "none", name, "cat", "/file")).OutputOrThrow();

    private static async Task<string> ConfigAsync(string layout)
    {
        var source = await OciContentSources.OpenAsync(layout, default);
        await using (source)
        {
            var root = (await source.ReadIndexAsync(default)).Manifests[0];
            return (await OciDocument.ReadAsync(source, root, default)).Manifest!.Config!.Digest.ToString();
        }
    }

    /// <summary>Looks, while a copy runs, at the files without a name that this process has open.</summary>
    private sealed class SavedFiles : IProgress<OciCopyEvent>
    {
        public bool AreNobodyElses { get; private set; }

        public void Report(OciCopyEvent value)
        {
            if (AreNobodyElses)
                return;
            var files = Directory.GetFiles("/proc/self/fd").Where(path => new FileInfo(path).LinkTarget is { } target
                && target.Contains("/buildkit-oci-", StringComparison.Ordinal) && target.EndsWith("(deleted)", StringComparison.Ordinal)).ToList();
            AreNobodyElses = files.Count > 0 && files.TrueForAll(path => TemporaryDirectory.Run("stat", "-L", "-c", "%a", path.Replace("self", $"{Environment.ProcessId}", StringComparison.Ordinal)) == "600");
        }
    }
}
