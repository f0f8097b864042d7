using System.Security.Cryptography;
using System.Text;
using BuildKit.Oci;
using BuildKit.Oci.Checking;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Editing;
using BuildKit.Oci.Images;
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

    [Theory]
    [InlineData("image.tar")]
    [InlineData("image.tar.gz")]
    [InlineData("image.TGZ")]
    public async Task Long_digests_fit_into_an_archive_and_its_name_says_whether_it_is_compressed(string name)
    {
        var content = new byte[100_000];
        var layer = AddSha512(content, "application/vnd.oci.image.layer.v1.tar");
        var config = AddSha512("""{"architecture":"amd64","os":"linux"}"""u8.ToArray(), OciMediaType.Config);
        _layout.WriteIndex(TestLayout.Named(AddSha512(Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"config":{{config}},"layers":[{{layer}}]}"""), OciMediaType.Manifest), "docker.io/library/app:1"));
        var archive = _directory[name];
        await Copies.RunAsync(_layout.Path, archive);

        var isPlain = name.EndsWith(".tar", StringComparison.Ordinal);
        Assert.Equal(!isPlain, File.ReadAllBytes(archive).AsSpan().StartsWith((byte[])[0x1F, 0x8B]));
        Assert.Equal(!isPlain, new FileInfo(archive).Length < 50_000);
        Assert.Contains($"blobs/sha512/{layer.Digest.Hex}", TemporaryDirectory.Run("tar", isPlain ? "-tf" : "-tzf", archive).Split('\n'));
        Assert.Empty((await OciLayoutCheck.RunAsync(archive, false, null, default)).Findings);
        // Blobs that a repair adds have names that are as long.
        await using (var source = (OciArchiveSource)await OciContentSources.OpenAsync(archive, default))
            await OciArchiveRewrite.RunAsync(source, archive, (await source.ReadIndexAsync(default)).ToBytes(), [new OciNewBlob(layer, content)], () => { }, default);
        Assert.Empty((await OciLayoutCheck.RunAsync(archive, false, null, default)).Findings);
    }

    [Theory]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip", new byte[] { 0x1F, 0x8B, 8, 0, 1 })]
    [InlineData("application/vnd.oci.image.layer.v1.tar+zstd", new byte[] { 0x28, 0xB5, 0x2F, 0xFD, 1 })]
    public async Task Compressed_layers_of_an_archive_that_docker_load_takes_keep_their_digest(string mediaType, byte[] content)
    {
        var compressed = TestLayout.Describe(content, mediaType);
        File.WriteAllBytes(_directory["layer.tar.gz"], content);
        File.WriteAllText(_directory["config.json"], $$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{OciDigest.Of("the content"u8)}}}"]}}""");
        File.WriteAllText(_directory["manifest.json"], """[{"Config":"config.json","RepoTags":["app:1"],"Layers":["layer.tar.gz"]}]""");
        TemporaryDirectory.Run("tar", "-C", _directory.Path, "-cf", _directory["docker.tar"], "config.json", "manifest.json", "layer.tar.gz");

        await Copies.RunAsync($"docker-archive:{_directory["docker.tar"]}", _directory["copy"]);
        await using var source = await OciContentSources.OpenAsync(_directory["copy"], default);
        var layer = (await OciDocument.ReadAsync(source, (await source.ReadIndexAsync(default)).Manifests[0], default)).Manifest!.Layers.Single();
        Assert.Equal((compressed.Digest, compressed.Size, mediaType), (layer.Digest, layer.Size, layer.MediaType));
        Assert.Empty((await OciLayoutCheck.RunAsync(_directory["copy"], false, null, default)).Findings);
    }

    [Fact]
    public async Task A_name_that_a_repair_kept_finds_the_image_everywhere_and_stays_behind_in_a_copy()
    {
        var image = _layout.AddImage("a");
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2"));
        await new OciIndexRepair(_layout.Path, new()).RunAsync(default);
        var address = OciAddress.Parse($"oci:{_layout.Path}:a:2");
        Assert.Equal(image.Digest.ToString(), (await OciIndexReader.ListAsync(address, false, false, default))[0].Digest);
        await Copies.RunAsync(address.ToString(), _directory["copy"]);
        await Copies.RunAsync(_layout.Path, $"oci:{_directory["copy"]}:b:1");
        Assert.Equal(
            ["docker.io/library/a:2", "docker.io/library/b:1"],
            (await OciIndexReader.ListAsync(_directory["copy"], false, default)).SelectMany(entry => entry.OtherNames.Append(entry.ImageName)));

        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(_layout.AddImage("b"), "docker.io/library/b:1"));
        await Assert.ThrowsAsync<OciImagesDifferException>(() => OciIndexReader.ListAsync(OciAddress.Parse($"oci:{_layout.Path}:1"), false, false, default));
    }

    [Fact]
    public async Task Entries_that_are_missing_or_are_no_manifests_do_not_keep_an_image_from_being_copied()
    {
        var image = _layout.AddImage("the content");
        var signature = _layout.AddImage("a signature", subject: image);
        _layout.WriteIndex(
            TestLayout.Named(image, "docker.io/library/app:1"), signature, _layout.AddBlob("text", "text/plain").With(null, "text"),
            TestLayout.Describe([1], OciMediaType.Manifest).With(null, "missing"));
        Assert.Equal(1, (await Copies.RunAsync($"oci:{_layout.Path}:app:1", _directory["with"], options => options with { IncludeReferrers = true })).Referrers);

        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/app:1"), signature, TestLayout.Describe([1], OciMediaType.Manifest));
        Assert.Equal(2, Assert.IsType<OciImagesDifferException>(await Copies.FailAsync(_layout.Path, _directory["copy"])).Choices.Count);
    }

    [Fact]
    public async Task An_image_that_says_itself_what_it_is_needs_no_type_and_one_of_another_kind_is_refused()
    {
        var image = _layout.AddImage("the content");
        _layout.WriteIndex(OciDescriptor.Create("", image.Digest, image.Size));
        Assert.Equal(OciMediaType.Manifest, (await Copies.RunAsync(_layout.Path, _directory["copy"])).MediaType);
        Assert.Equal(2, (await Copies.RunAsync(_layout.Path, $"oci-archive:{_directory["copy.tar"]}")).BlobsCopied);

        foreach (var untrue in (OciDescriptor[])[_layout.AddBlob("{\"schemaVersion\":2}", ""), OciDescriptor.Create(OciMediaType.Index, image.Digest, image.Size)])
        {
            _layout.WriteIndex(untrue);
            Assert.Equal("BuildKit.OciBlobInvalid", (await Copies.FailAsync(_layout.Path, _directory["none"])).ErrorId);
        }
        Assert.False(Directory.Exists(_directory["none"]));
    }

    [Fact]
    public async Task Sizes_beyond_all_measure_are_an_error_of_the_image()
    {
        var config = _layout.AddBlob("{}", OciMediaType.Config);
        var layers = Enumerable.Range(0, 2).Select(i => OciDescriptor.Create("application/vnd.oci.image.layer.v1.tar", _layout.AddBlob($"{i}", "").Digest, 9_000_000_000_000_000_000));
        _layout.WriteIndex(_layout.AddBlob($$"""{"schemaVersion":2,"config":{{config}},"layers":[{{string.Join(',', layers)}}]}""", OciMediaType.Manifest));
        Assert.Equal("BuildKit.OciBlobInvalid", (await Copies.FailAsync(_layout.Path, _directory["copy"])).ErrorId);
        Assert.Equal(long.MaxValue, Assert.Single(await OciImageReader.ReadAsync(OciAddress.Parse(_layout.Path), new OciImageQuery(), null, default)).Size);
    }

    [Fact]
    public async Task What_docker_could_not_load_is_refused_before_anything_is_written()
    {
        _layout.WriteIndex(_layout.AddBlob("""{"schemaVersion":2,"layers":[]}""", OciMediaType.Manifest));
        Assert.Equal("BuildKit.OciBlobInvalid", (await Copies.FailAsync(_layout.Path, $"docker-archive:{_directory["image.tar"]}:app:1")).ErrorId);
        Assert.Empty(_directory.List());
    }

    [Theory]
    [InlineData("./layout@DIGEST")]
    [InlineData("oci-archive:./image.tar@DIGEST")]
    [InlineData("docker-archive:./image.tar@DIGEST")]
    [InlineData("docker-daemon:app@DIGEST")]
    [InlineData("docker-daemon:DIGEST")]
    public async Task A_digest_names_no_destination(string destination)
    {
        var image = _layout.AddImage("the content");
        _layout.WriteIndex(image);
        var text = destination.Replace("DIGEST", image.Digest.ToString(), StringComparison.Ordinal).Replace("./", _directory.Path + "/", StringComparison.Ordinal);
        Assert.Equal("BuildKit.InvalidDestination", (await Copies.FailAsync(_layout.Path, text)).ErrorId);
        Assert.Empty(_directory.List());
    }

    private OciDescriptor AddSha512(byte[] content, string mediaType)
    {
        var blob = OciDescriptor.Create(mediaType, OciDigest.Of(content, HashAlgorithmName.SHA512), content.Length);
        Directory.CreateDirectory(_layout["blobs/sha512"]);
        File.WriteAllBytes(_layout.BlobPath(blob), content);
        return blob;
    }
}
