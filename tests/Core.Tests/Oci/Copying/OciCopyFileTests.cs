using BuildKit.Oci;
using BuildKit.Oci.Checking;
using BuildKit.Oci.Copying;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Oci.Copying;

/// <summary>Copies between layouts and archives: no daemon, no registry.</summary>
public sealed class OciCopyFileTests : IDisposable
{
    private readonly TestLayout _layout = new();
    private readonly TemporaryDirectory _directory = new();

    public void Dispose()
    {
        _layout.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("oci-layout://{0}")]
    [InlineData("oci-archive:{0}.tar")]
    public async Task An_image_goes_to_another_place_with_all_it_has(string form)
    {
        var (index, _, _) = _layout.AddAttestedImages();
        _layout.WriteIndex(TestLayout.Named(index, "docker.io/library/app:1"));
        var destination = string.Format(null, form, _directory["copy"]);
        var result = await Copies.RunAsync(_layout.Path, destination);

        Assert.Equal((index.Digest.ToString(), OciMediaType.Index, index.Size), (result.Digest, result.MediaType, result.Size));
        Assert.Equal(["linux/amd64", "linux/arm64"], result.Platforms.Select(platform => platform.ToString()));
        Assert.Equal((8, 0, 0), (result.BlobsCopied, result.BlobsSkipped, result.BlobsMounted));
        var path = OciAddress.Parse(destination).Path!;
        var entry = Assert.Single(await OciIndexReader.ListAsync(path, false, default));
        Assert.Equal(("docker.io/library/app:1", "1", index.Digest.ToString()), (entry.ImageName, entry.RefName, entry.Digest));
        Assert.DoesNotContain((await OciLayoutCheck.RunAsync(path, false, null, default)).Findings, finding => finding.Severity != OciFindingSeverity.Information);
        Assert.Equal(index.Digest.ToString(), (await Copies.RunAsync(destination, $"oci-archive:{_directory["again.tar"]}:x")).Digest);
        Assert.DoesNotContain(_directory.List(), name => name.Contains("partial", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_there_is_not_copied_unless_it_is_damaged()
    {
        _layout.WriteIndex(_layout.AddImage("the content"));
        var copy = _directory["copy"];
        await Copies.RunAsync(_layout.Path, copy + ":1");
        Assert.Equal((0, 2), Counts(await Copies.RunAsync(_layout.Path, copy + ":2")));
        Assert.Equal(["1", "2"], (await OciIndexReader.ListAsync(copy, false, default)).Select(entry => entry.RefName));

        var layer = Directory.GetFiles(copy, "*", SearchOption.AllDirectories).Single(path => File.ReadAllText(path) == "the content");
        File.WriteAllText(layer, "the c0ntent");
        Assert.Equal((1, 1), Counts(await Copies.RunAsync(_layout.Path, copy + ":2")));
        Assert.Equal("the content", File.ReadAllText(layer));

        static (int, int) Counts(OciCopyResult result) => (result.BlobsCopied, result.BlobsSkipped);
    }

    [Fact]
    public async Task A_name_goes_to_another_image_and_the_other_names_stay()
    {
        var images = new[] { "one", "two", "three" }.Select(content => _layout.AddImage(content)).ToList();
        foreach (var (image, tag) in images.Zip(["1", "2", "1"]))
        {
            _layout.WriteIndex(image);
            await Copies.RunAsync(_layout.Path, $"{_directory["copy"]}:{tag}");
        }
        Assert.Equal(
            new[] { ("1", images[2].Digest.ToString()), ("2", images[1].Digest.ToString()) },
            (await OciIndexReader.ListAsync(_directory["copy"], false, default)).Select(entry => (entry.RefName!, entry.Digest)).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_layer_that_may_not_be_passed_on_is_copied_where_the_source_has_it(bool hasIt)
    {
        var layer = _layout.AddBlob("a foreign layer", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        var config = _layout.AddBlob("""{"architecture":"amd64","os":"linux"}""", OciMediaType.Config);
        _layout.WriteIndex(_layout.AddBlob($$"""{"schemaVersion":2,"mediaType":"{{OciMediaType.Manifest}}","config":{{config}},"layers":[{{layer}}]}""", OciMediaType.Manifest));
        if (!hasIt)
            File.Delete(_layout.BlobPath(layer));
        await Copies.RunAsync(_layout.Path, _directory["copy"]);
        Assert.Equal(hasIt, File.Exists(_layout.BlobPath(layer).Replace(_layout.Path, _directory["copy"], StringComparison.Ordinal)));
    }

    [Fact]
    public async Task One_platform_alone_keeps_its_own_digest()
    {
        var (index, _, arm64) = _layout.AddAttestedImages();
        _layout.WriteIndex(index);
        var result = await Copies.RunAsync(_layout.Path, _directory["copy"], options => options with { Platforms = ["linux/arm64"], NoAttestation = true });
        Assert.Equal((arm64.Digest.ToString(), OciMediaType.Manifest), (result.Digest, result.MediaType));
        Assert.Equal(["linux/arm64"], result.Platforms.Select(platform => platform.ToString()));

        var error = await Copies.FailAsync(_layout.Path, _directory["none"], options => options with { Platforms = ["linux/s390x"] });
        Assert.Equal("BuildKit.OciPlatformNotFound", error.ErrorId);
        Assert.False(Directory.Exists(_directory["none"]));
    }

    [Fact]
    public async Task A_platform_takes_its_attestation_along_and_attestations_can_stay_behind()
    {
        var (index, amd64, arm64) = _layout.AddAttestedImages();
        _layout.WriteIndex(index);
        await Copies.RunAsync(_layout.Path, _directory["one"], options => options with { Platforms = ["linux/arm64"] });
        var one = (await OciIndexReader.ListAsync(_directory["one"], true, default)).Skip(1).ToList();
        Assert.Equal([arm64.Digest.ToString(), arm64.Digest.ToString()], one.Select(entry => entry.Subject ?? entry.Digest));

        await Copies.RunAsync(_layout.Path, _directory["both"], options => options with { NoAttestation = true });
        var both = (await OciIndexReader.ListAsync(_directory["both"], true, default)).Skip(1).ToList();
        Assert.Equal([amd64.Digest.ToString(), arm64.Digest.ToString()], both.Select(entry => entry.Digest));
    }

    [Fact]
    public async Task Several_images_are_not_guessed_at()
    {
        _layout.WriteIndex(TestLayout.Named(_layout.AddImage("a"), "docker.io/library/a:1"), TestLayout.Named(_layout.AddImage("b"), "docker.io/library/b:2"));
        var error = await Copies.FailAsync(_layout.Path, _directory["copy"]);
        Assert.IsType<OciImagesDifferException>(error);
        Assert.False(Directory.Exists(_directory["copy"]));
        await Copies.RunAsync($"oci-layout://{_layout.Path}:2", _directory["copy"]);
        Assert.Equal("docker.io/library/b:2", Assert.Single(await OciIndexReader.ListAsync(_directory["copy"], false, default)).ImageName);
    }

    [Theory]
    [InlineData("oci-layout://{0}")]
    [InlineData("oci-archive:{0}.tar")]
    public async Task A_damaged_blob_ends_the_copy_and_nothing_gets_the_name(string form)
    {
        var image = _layout.AddImage("the content");
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/app:1"));
        File.WriteAllText(Directory.GetFiles(_layout["blobs/sha256"]).Single(path => File.ReadAllText(path) == "the content"), "the c0ntent");
        var error = await Copies.FailAsync(_layout.Path, string.Format(null, form, _directory["copy"]));
        Assert.Equal("BuildKit.OciBlobInvalid", error.ErrorId);
        Assert.DoesNotContain(_directory.List(), name => name.EndsWith(".tar", StringComparison.Ordinal) || name.EndsWith("index.json", StringComparison.Ordinal)
            || name.Contains("partial", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_archive_that_is_there_stays_until_the_other_one_is_whole()
    {
        _layout.WriteIndex(_layout.AddImage("the content"));
        var archive = _directory["image.tar"];
        await Copies.RunAsync(_layout.Path, archive);
        var before = File.ReadAllBytes(archive);
        File.WriteAllText(Directory.GetFiles(_layout["blobs/sha256"]).Single(path => File.ReadAllText(path) == "the content"), "the c0ntent");
        await Copies.FailAsync(_layout.Path, archive);
        Assert.Equal(before, File.ReadAllBytes(archive));
        Assert.Equal(["image.tar"], _directory.List());
    }

    [Fact]
    public async Task What_refers_to_an_image_goes_along_when_asked()
    {
        var image = _layout.AddImage("the content");
        var signature = _layout.AddImage("a signature", subject: image);
        var onSignature = _layout.AddImage("a signature of the signature", subject: signature);
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/app:1"), signature, onSignature);
        Assert.Equal(0, (await Copies.RunAsync(_layout.Path, _directory["without"])).Referrers);
        Assert.Equal(2, (await Copies.RunAsync(_layout.Path, _directory["with"], options => options with { IncludeReferrers = true })).Referrers);
        Assert.Single(await OciIndexReader.ListAsync(_directory["without"], false, default));
        Assert.Equal(
            new[] { image, signature, onSignature }.Select(manifest => manifest.Digest.ToString()),
            (await OciIndexReader.ListAsync(_directory["with"], false, default)).Select(entry => entry.Digest));
    }

    [Fact]
    public async Task An_archive_for_docker_load_holds_one_platform()
    {
        var (index, _, arm64) = _layout.AddAttestedImages();
        _layout.WriteIndex(index);
        var error = await Copies.FailAsync(_layout.Path, $"docker-archive:{_directory["image.tar"]}:app:1");
        Assert.Equal("BuildKit.MultiPlatformNotSupported", error.ErrorId);
        Assert.Empty(_directory.List());
        var result = await Copies.RunAsync(_layout.Path, $"docker-archive:{_directory["image.tar"]}:app:1", options => options with { Platforms = ["arm64"] });
        Assert.Equal(arm64.Digest.ToString(), result.Digest);
        Assert.Contains("\"RepoTags\":[\"docker.io/library/app:1\"]", TemporaryDirectory.Run("tar", "-xOf", _directory["image.tar"], "manifest.json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_is_told_by_blob()
    {
        _layout.WriteIndex(_layout.AddImage("the content"));
        var progress = new Recorder<OciCopyEvent>();
        await Copies.RunAsync(_layout.Path, _directory["copy"], progress: progress);
        Assert.Equal(2, progress.Events.Count(one => one.State == OciCopyState.Copied && one.Current == one.Size && one.Blobs == 2));
        Assert.Equal(2, progress.Events.Count(one => one.State == OciCopyState.Copying && one.Current == 0));
    }
}
