using System.Text;
using BuildKit.Oci;
using BuildKit.Oci.Checking;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Images;
using BuildKit.Oci.Merging;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Oci.Images;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Oci.Merging;

/// <summary>Indexes of several images, in the run's registry and in layouts.</summary>
public sealed class OciIndexMergeTests(AttestedImage built) : IClassFixture<AttestedImage>
{
    private const string Single = "FROM scratch\nARG TARGETARCH\nARG SALT\nCOPY <<END /made-$TARGETARCH-$SALT\nEND\n";

    private static OciAddress At(string text) => OciAddress.Parse(text, Path.GetFullPath);

    private static Task<string> PushAsync(string platform) => OptionBuilds.PushAsync($"merge/{platform[6..].Replace("/", "", StringComparison.Ordinal)}", Single, request => request with { Platforms = [platform] });

    private static async Task<string> NewNameAsync() => $"{await OptionBuilds.RegistryAsync()}/merge/{Guid.NewGuid():N}:1";

    private static async Task<OciMergeResult> MergeAsync(IEnumerable<string> sources, IEnumerable<string> destinations, Func<OciMergeOptions, OciMergeOptions>? more = null)
    {
        var options = new OciMergeOptions { Sources = sources.Select(At).ToList(), Destinations = destinations.Select(At).ToList() };
        await using var plan = await OciIndexMerge.PlanAsync(more?.Invoke(options) ?? options, default);
        return await plan.WriteAsync(null, default);
    }

    private static async Task<string> BuildxAsync(params string[] arguments) =>
        (await CommandResult.RunAsync(await TestEngines.GetProgramAsync("buildx"), ["imagetools", "create", "--dry-run", .. arguments])).OutputOrThrow();

    [SkippableFact]
    public async Task InARegistryItIsByteForByteWhatBuildxMakes()
    {
        string[] sources = [await PushAsync("linux/amd64"), await PushAsync("linux/arm/v7"), await PushAsync("linux/arm64")];
        string[] names = [await NewNameAsync(), await NewNameAsync()];
        var plain = await MergeAsync(sources, names);
        Assert.Equal(await BuildxAsync(sources), plain.Json);
        Assert.Equal(["linux/amd64", "linux/arm/v7", "linux/arm64"], plain.Platforms.Select(platform => platform.ToString()));

        // Attestations went along, and everything can be pulled from the repository of its own.
        var crane = await TestEngines.GetProgramAsync("crane");
        foreach (var name in names)
        {
            Assert.Equal(plain.Digest, (await CommandResult.RunAsync(crane, ["digest", name])).OutputOrThrow());
            using var copy = new BuildContextDirectory();
            await Skopeo.RunAsync("copy", "--all", "--src-tls-verify=false", $"docker://{name}", $"dir:{copy.At("copy")}");
        }

        string[] annotations = ["index:a=<b>", "manifest-descriptor[linux/arm64]:c=d"];
        var annotated = await MergeAsync([.. sources, sources[0]], names, options => options with { Annotations = annotations });
        Assert.Equal(await BuildxAsync([.. annotations.SelectMany(text => new[] { "--annotation", text }), .. sources]), annotated.Json);
    }

    [SkippableFact]
    public async Task AnIndexAloneStaysWhatItIs()
    {
        var source = await built.NameAsync;
        var name = await NewNameAsync();
        var result = await MergeAsync([source], [name]);
        Assert.Equal(Encoding.UTF8.GetString(await RegistryContent.ManifestAsync(await TestEngines.GetAsync(EngineKind.Registry), source)), result.Json);
        var images = await OciImageReader.ReadAsync(At(name), new OciImageQuery(), null, default);
        Assert.All(images, image => Assert.NotNull(image.Provenance));

        var arm = await MergeAsync([source], [name], options => options with { Platforms = ["linux/arm64"] });
        Assert.Equal(["linux/arm64"], arm.Platforms.Select(platform => platform.ToString()));
        Assert.Equal(images[1].Attestations.Select(attestation => attestation.Manifest).Distinct(), arm.Manifests.Where(manifest => manifest.IsAttestation).Select(manifest => manifest.Digest));
    }

    [SkippableFact]
    public async Task ImagesForOnePlatformAreRefusedWithTheChoices()
    {
        var (one, other) = (await PushAsync("linux/arm64"), await built.NameAsync);
        var name = await NewNameAsync();
        var refused = await Assert.ThrowsAsync<OciImagesDifferException>(() => MergeAsync([other, one], [name]));
        Assert.Equal(2, refused.Choices.Count);
        Assert.Contains("linux/arm64", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<BuildKitException>(() => OciImageReader.ReadAsync(At(name), new OciImageQuery(), null, default));

        var first = await MergeAsync([other, one], [name], options => options with { Duplicate = OciMergeDuplicate.First });
        var last = await MergeAsync([one], [name], options => options with { Append = true, Duplicate = OciMergeDuplicate.Last });
        Assert.Equal(["linux/amd64", "linux/arm64"], last.Platforms.Select(platform => platform.ToString()));
        Assert.StartsWith(other[..other.LastIndexOf(':')], first.Manifests.Single(manifest => manifest.Platform?.Architecture == "arm64").Source, StringComparison.Ordinal);
        var image = Assert.Single(await OciImageReader.ReadAsync(At(name), new OciImageQuery { Platforms = ["linux/arm64"] }, null, default));
        Assert.Equal(Assert.Single(await OciImageReader.ReadAsync(At(one), new OciImageQuery(), null, default)).Digest, image.Digest);
        // The attestation of the one that went, went with it.
        Assert.DoesNotContain(image.Attestations, attestation => attestation.Sbom is not null);
    }

    [SkippableFact]
    public async Task ALayoutGetsWhatItNeedsFromEverywhere()
    {
        var remote = await PushAsync("linux/arm/v7");
        await built.NameAsync;
        using var directory = new BuildContextDirectory();
        var layout = directory.At("deep/layout");
        var result = await MergeAsync([built.ArchivePath, remote], [$"oci-layout://{layout}:1", $"oci-layout://{layout}:2"]);
        Assert.Equal(["linux/amd64", "linux/arm64", "linux/arm/v7"], result.Platforms.Select(platform => platform.ToString()));
        var report = await OciLayoutCheck.RunAsync(layout, false, null, default);
        Assert.Equal(["SeveralEntriesForImage"], report.Findings.Select(finding => finding.Id));
        await Skopeo.RunAsync("copy", "--all", $"oci:{layout}:2", $"dir:{directory.At("copy")}");

        // The same again changes nothing; back into a registry it has the same digest.
        var before = await File.ReadAllBytesAsync(Path.Combine(layout, "index.json"));
        await MergeAsync([built.ArchivePath, remote], [$"oci-layout://{layout}:1", $"oci-layout://{layout}:2"]);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(layout, "index.json")));
        Assert.Equal(result.Digest, (await MergeAsync([$"oci-layout://{layout}:1"], [await NewNameAsync()])).Digest);
    }

    [SkippableFact]
    public async Task WhatFailsHalfwayHasNoName()
    {
        using var broken = new TestLayout();
        var image = TestLayout.WithPlatform(broken.AddImage("a layer"), "amd64");
        broken.WriteIndex(image);
        File.Delete(broken.BlobPath(TestLayout.Describe("a layer"u8.ToArray(), "")));
        using var directory = new BuildContextDirectory();
        var (layout, name) = (Path.Combine(directory.Path, "layout"), await NewNameAsync());
        var other = await built.NameAsync;
        var missing = await Assert.ThrowsAsync<BuildKitException>(() => MergeAsync([broken.Path, other], [name, $"oci-layout://{layout}:1"], options => options with { Duplicate = OciMergeDuplicate.First }));
        Assert.Equal("BuildKit.OciBlobNotFound", missing.ErrorId);
        Assert.False(Directory.Exists(layout));
        Assert.Equal("BuildKit.ManifestNotFound", (await Assert.ThrowsAsync<BuildKitException>(() => OciImageReader.ReadAsync(At(name), new OciImageQuery(), null, default))).ErrorId);
    }

    [Theory]
    [InlineData("oci-layout:///nowhere", "", "BuildKit.InvalidDestination")]
    [InlineData("/nowhere", "", "BuildKit.InvalidDestination")]
    [InlineData("docker-daemon:a", "", "BuildKit.InvalidDestination")]
    [InlineData("127.0.0.1:1/a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "", "BuildKit.InvalidDestination")]
    [InlineData("127.0.0.1:1/a", "manifest:a=b", "BuildKit.InvalidAnnotation")]
    [InlineData("127.0.0.1:1/a", "", "BuildKit.OciLayoutNotFound")]
    public async Task WhatCantBeIsRefusedBeforeAnythingIsDone(string destination, string annotation, string errorId)
    {
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => MergeAsync(["/nowhere/layout"], [destination], options => options with { Annotations = annotation.Length == 0 ? [] : [annotation] }));
        Assert.Equal(errorId, failure.ErrorId);
    }
}
