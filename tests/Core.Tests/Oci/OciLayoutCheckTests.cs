using System.Formats.Tar;
using System.Text;
using BuildKit.Oci;
using BuildKit.Oci.Checking;
using BuildKit.Oci.Editing;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Oci;

public sealed class OciLayoutCheckTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    private async Task<List<string>> CheckAsync(bool fast = false, string? path = null) =>
        (await OciLayoutCheck.RunAsync(path ?? _layout.Path, fast, null, default)).Findings.Select(finding => $"{finding.Id} {finding.Path}").ToList();

    private OciDescriptor Image(string content = "one", string architecture = "amd64") => TestLayout.Named(_layout.AddImage(content, architecture), "docker.io/library/a:1");

    private OciManifest ManifestOf(OciDescriptor image) => OciManifest.Parse(File.ReadAllBytes(_layout.BlobPath(image)));

    private OciDescriptor Manifest(string text) => TestLayout.Named(_layout.AddBlob(text, OciMediaType.Manifest), "docker.io/library/a:1");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_clean_layout_has_no_findings(bool fast)
    {
        var (amd, arm) = (_layout.AddImage("one"), _layout.AddImage("two", "arm64"));
        var attestation = _layout.AddBlob("""{"_type":"https://in-toto.io/Statement/v0.1"}""", OciMediaType.InToto);
        var config = ManifestOf(amd).Config;
        var statement = _layout.AddBlob($$$"""{"schemaVersion":2,"mediaType":"{{{OciMediaType.Manifest}}}","config":{{{config}}},"layers":[{{{attestation}}}]}""", OciMediaType.Manifest);
        var index = _layout.AddIndex(TestLayout.WithPlatform(amd, "amd64"), TestLayout.WithPlatform(arm, "arm64"), statement);
        _layout.WriteIndex(TestLayout.Named(index, "docker.io/library/a:1"));
        var report = await OciLayoutCheck.RunAsync(_layout.Path, fast, null, default);
        Assert.Empty(report.Findings);
        Assert.True(report.Passed);
        Assert.Equal(9, report.BlobCount);
        Assert.Empty(await CheckAsync(fast, _layout.Pack("a.tar")));
    }

    [Fact]
    public async Task Damaged_blobs_are_found_by_their_place()
    {
        var image = Image();
        _layout.WriteIndex(image);
        var manifest = ManifestOf(image);
        await File.WriteAllTextAsync(_layout.BlobPath(manifest.Layers[0]), "two");
        Assert.Equal(["BlobDigestWrong index.json/manifests[0]/layers[0]"], await CheckAsync());
        Assert.Empty(await CheckAsync(fast: true));

        await File.WriteAllTextAsync(_layout.BlobPath(manifest.Layers[0]), "longer");
        Assert.Equal(["BlobSizeWrong index.json/manifests[0]/layers[0]"], await CheckAsync(fast: true));

        File.Delete(_layout.BlobPath(manifest.Layers[0]));
        File.Delete(_layout.BlobPath(manifest.Config!));
        Assert.Equal(["BlobMissing index.json/manifests[0]/config", "BlobMissing index.json/manifests[0]/layers[0]"], await CheckAsync());

        // What a manifest that can't be read refers to is not known, so that nothing is called unreferenced.
        var bytes = await File.ReadAllBytesAsync(_layout.BlobPath(image));
        bytes[^2] ^= 1;
        await File.WriteAllBytesAsync(_layout.BlobPath(image), bytes);
        Assert.Equal(["BlobDigestWrong index.json/manifests[0]"], await CheckAsync());
        File.Delete(_layout.BlobPath(image));
        Assert.Equal(["BlobMissing index.json/manifests[0]"], await CheckAsync());
    }

    [Fact]
    public async Task The_findings_are_in_the_order_of_the_index()
    {
        var images = Enumerable.Range(0, 20).Select(i => TestLayout.Named(_layout.AddImage($"{i}"), $"docker.io/library/a:{i}")).ToArray();
        _layout.WriteIndex(images);
        foreach (var image in images)
            await File.WriteAllTextAsync(_layout.BlobPath(ManifestOf(image).Layers[0]), new string('x', (int)ManifestOf(image).Layers[0].Size));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"BlobDigestWrong index.json/manifests[{i}]/layers[0]"), (await CheckAsync()).Skip(1));
    }

    [Fact]
    public async Task Names_are_looked_at()
    {
        var (one, two) = (_layout.AddImage("one"), _layout.AddImage("two"));
        _layout.WriteIndex(
            TestLayout.Named(one, "docker.io/library/a:1"), TestLayout.Named(one, "docker.io/library/a:2"), TestLayout.Named(two, "docker.io/library/a:1"),
            TestLayout.Named(two, "docker.io/library/b:2"), two);
        Assert.Equal(
            [
                "SeveralImages index.json", "DuplicateName index.json/manifests[2]", "AmbiguousRefName index.json/manifests[3]", "EntryWithoutName index.json/manifests[4]",
                "SeveralEntriesForImage index.json/manifests[0]", "SeveralEntriesForImage index.json/manifests[2]",
            ],
            await CheckAsync());
    }

    [Theory]
    [InlineData("{", "IndexInvalid index.json")]
    [InlineData("{\"manifests\":[]}", "IndexEmpty index.json")]
    [InlineData("{\"manifests\":[{\"digest\":\"sha256:../../etc/passwd\",\"size\":1}]}", "IndexInvalid index.json")]
    public async Task A_bad_index_is_a_finding(string text, string finding)
    {
        await File.WriteAllTextAsync(_layout.IndexPath, text);
        Assert.Equal([finding], await CheckAsync());
    }

    [Fact]
    public async Task Bad_json_is_told_with_its_place()
    {
        await File.WriteAllTextAsync(_layout.IndexPath, "{\n \"manifests\": [,]}");
        Assert.Contains("line 2, byte 16", (await OciLayoutCheck.RunAsync(_layout.Path, false, null, default)).Findings.Single().Message, StringComparison.Ordinal);
        _layout.WriteIndex(Manifest("{"));
        Assert.Equal(["DocumentInvalid index.json/manifests[0]"], await CheckAsync());
    }

    [Fact]
    public async Task The_version_file_is_looked_at()
    {
        _layout.WriteIndex(Image());
        File.Delete(_layout["oci-layout"]);
        Assert.Equal(["VersionFileMissing oci-layout"], await CheckAsync());
        await File.WriteAllTextAsync(_layout["oci-layout"], """{"imageLayoutVersion":"2.0.0"}""");
        Assert.Equal(["VersionFileInvalid oci-layout"], await CheckAsync());
        await File.WriteAllTextAsync(_layout["oci-layout"], "no");
        Assert.Equal(["VersionFileInvalid oci-layout"], await CheckAsync());
    }

    [Fact]
    public async Task Manifests_are_compared_with_what_points_to_them_and_with_their_configuration()
    {
        var image = _layout.AddImage("one");
        var manifest = ManifestOf(image);
        _layout.WriteIndex(TestLayout.Named(TestLayout.WithPlatform(image, "arm64"), "docker.io/library/a:1"));
        Assert.Equal(["PlatformMismatch index.json/manifests[0]"], await CheckAsync());

        var odd = _layout.AddBlob("odd", "application/x-odd");
        _layout.WriteIndex(Manifest($$"""{"config":{{manifest.Config}},"layers":[{{manifest.Layers[0]}},{{odd}}]}"""));
        Assert.Equal(["MediaTypeUnknown index.json/manifests[0]/layers[1]", "LayerCountDiffers index.json/manifests[0]"], (await CheckAsync()).Where(IsAboutEntry).OrderDescending());

        _layout.WriteIndex(Manifest($$"""{"mediaType":"{{OciMediaType.DockerManifest}}","layers":[]}"""));
        Assert.Equal(["MediaTypeDiffers index.json/manifests[0]", "ConfigMissing index.json/manifests[0]"], (await CheckAsync()).Where(IsAboutEntry));

        _layout.WriteIndex(TestLayout.Named(odd, "docker.io/library/a:1"));
        Assert.Equal(["MediaTypeUnknown index.json/manifests[0]"], (await CheckAsync()).Where(IsAboutEntry));

        await File.WriteAllTextAsync(_layout.IndexPath, $$$"""{"manifests":[{"digest":"{{{odd.Digest}}}","size":3,"annotations":{"org.opencontainers.image.ref.name":"1"}}]}""");
        Assert.Equal(["MediaTypeMissing index.json/manifests[0]"], (await CheckAsync()).Where(IsAboutEntry));
    }

    [Fact]
    public async Task An_artifact_may_consist_of_anything_and_its_subject_may_be_elsewhere()
    {
        var image = _layout.AddImage("one");
        var (empty, sbom) = (_layout.AddBlob("{}", OciMediaType.Empty), _layout.AddBlob("{}", "application/spdx+json"));
        var artifact = Manifest($$"""{"mediaType":"{{OciMediaType.Manifest}}","artifactType":"application/spdx+json","config":{{empty}},"layers":[{{sbom}}],"subject":{{image}}}""");
        _layout.WriteIndex(artifact);
        Assert.DoesNotContain(await CheckAsync(), IsAboutEntry);
        Assert.Equal(image.Digest.ToString(), (await OciIndexReader.ListAsync(_layout.Path, recurse: true, default)).Single().Subject);
        File.Delete(_layout.BlobPath(image));
        Assert.Equal(["SubjectMissing index.json/manifests[0]/subject"], (await CheckAsync()).Where(IsAboutEntry));
    }

    [Fact]
    public async Task Foreign_layers_may_be_elsewhere()
    {
        var foreign = TestLayout.Describe([1], "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        var config = _layout.AddBlob("{}", OciMediaType.Config);
        _layout.WriteIndex(Manifest($$"""{"config":{{config}},"layers":[{{foreign}}]}"""));
        var finding = Assert.Single((await OciLayoutCheck.RunAsync(_layout.Path, false, null, default)).Findings);
        Assert.Equal(("ForeignLayerMissing", OciFindingSeverity.Information), (finding.Id, finding.Severity));
    }

    [Fact]
    public async Task What_nothing_refers_to_is_told()
    {
        _layout.WriteIndex(Image());
        var blob = _layout.AddBlob("lonely", "x");
        Assert.Equal([$"BlobUnreferenced blobs/sha256/{blob.Digest.Hex}"], await CheckAsync());
        Assert.True((await OciLayoutCheck.RunAsync(_layout.Path, false, null, default)).Passed);
    }

    [Fact]
    public async Task Links_are_told()
    {
        var image = Image();
        _layout.WriteIndex(image);
        var layer = _layout.BlobPath(ManifestOf(image).Layers[0]);
        File.Move(layer, _layout["elsewhere"]);
        File.CreateSymbolicLink(layer, _layout["elsewhere"]);
        Assert.Equal(["UnsafePath index.json/manifests[0]/layers[0]", $"UnsafePath blobs/sha256/{Path.GetFileName(layer)}"], await CheckAsync());

        var path = _layout.Pack("a.tar", more: writer => writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "../evil") { DataStream = new MemoryStream([1]) }));
        Assert.Contains("UnsafePath ../evil", await CheckAsync(path: path));
    }

    [Fact]
    public async Task A_loop_and_deep_nesting_end()
    {
        // Only without looking at digests can an index lead to itself.
        var digest = $"sha256:{new string('a', 64)}";
        var length = 0;
        string Loop() => TestLayout.IndexText(OciDescriptor.Create(OciMediaType.Index, OciDigest.Parse(digest), length));
        while (Loop().Length != length)
            length = Loop().Length;
        Directory.CreateDirectory(_layout["blobs/sha256"]);
        await File.WriteAllTextAsync(_layout[$"blobs/sha256/{digest[7..]}"], Loop());
        _layout.WriteIndex(TestLayout.Named(OciDescriptor.Create(OciMediaType.Index, OciDigest.Parse(digest), length), "docker.io/library/a:1"));
        Assert.Equal(["IndexLoop index.json/manifests[0]/manifests[0]"], await CheckAsync(fast: true));
        Assert.Equal(["BlobDigestWrong index.json/manifests[0]"], await CheckAsync());

        var nested = _layout.AddImage("one");
        for (var i = 0; i < 2000; i++)
            nested = _layout.AddIndex(nested, nested);
        _layout.WriteIndex(TestLayout.Named(nested, "docker.io/library/a:1"));
        Assert.Single(await CheckAsync(), finding => finding.StartsWith("IndexTooDeep", StringComparison.Ordinal));
        Assert.Equal("BuildKit.OciIndexTooDeep", (await Assert.ThrowsAsync<BuildKitException>(() => OciIndexReader.ListAsync(_layout.Path, recurse: true, default))).ErrorId);
    }

    [Fact]
    public async Task A_very_long_index_is_checked()
    {
        var image = _layout.AddImage("one");
        _layout.WriteIndex([.. Enumerable.Range(0, 100_000).Select(i => i == 99_999 ? image : TestLayout.Named(image, $"docker.io/library/a:{i}"))]);
        Assert.Equal(["EntryWithoutName index.json/manifests[99999]", "SeveralEntriesForImage index.json/manifests[0]"], await CheckAsync());
    }

    [Fact]
    public async Task What_is_no_layout_is_a_finding_and_what_is_not_there_an_error()
    {
        await File.WriteAllTextAsync(_layout["text"], "text");
        Assert.Equal(["NotALayout "], await CheckAsync(path: _layout["text"]));
        _layout.WriteIndex(Image());
        var archive = _layout.Pack("a.tar");
        using (var file = File.OpenWrite(archive))
            file.SetLength(700);
        Assert.Equal(["ArchiveInvalid "], await CheckAsync(path: archive));
        await Assert.ThrowsAsync<BuildKitException>(() => CheckAsync(path: _layout["nothing"]));
    }

    [Fact]
    public async Task It_can_be_stopped()
    {
        _layout.WriteIndex(Image());
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => OciLayoutCheck.RunAsync(_layout.Path, false, null, stop.Token));
    }

    [Fact]
    public async Task A_version_file_that_is_no_file_or_too_large_is_invalid_and_left_alone()
    {
        _layout.WriteIndex(Image());
        await File.WriteAllTextAsync(_layout["oci-layout"], $$"""{"imageLayoutVersion":"1.0.0"}{{new string(' ', 5000)}}""");
        foreach (var path in (string[])[_layout.Path, _layout.Pack("a.tar")])
        {
            Assert.Equal(["VersionFileInvalid oci-layout"], await CheckAsync(path: path));
            Assert.False((await new OciIndexRepair(path, new()).RunAsync(default)).Changed);
        }

        File.Delete(_layout["oci-layout"]);
        TemporaryDirectory.Run("mkfifo", _layout["oci-layout"]);
        var findings = await Task.Run(() => CheckAsync()).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(["VersionFileInvalid oci-layout", "UnsafePath oci-layout"], findings);
        Assert.False((await Task.Run(() => new OciIndexRepair(_layout.Path, new()).RunAsync(default)).WaitAsync(TimeSpan.FromMinutes(1))).Changed);
    }

    [Fact]
    public async Task Every_descriptor_is_compared_with_what_it_describes()
    {
        var layer = _layout.AddBlob("layer", "application/vnd.oci.image.layer.v1.tar");
        var config = _layout.AddBlob($$$"""{"architecture":"arm","variant":"v6","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{layer.Digest}}}"]}}""", OciMediaType.Config);
        var image = _layout.AddBlob($$"""{"schemaVersion":2,"mediaType":"{{OciMediaType.Manifest}}","config":{{config}},"layers":[{{layer}}]}""", OciMediaType.Manifest);
        OciDescriptor For(string architecture, string? variant) => image.WithPlatform(new OciPlatform("linux", architecture, variant));
        var index = _layout.AddIndex(
            For("arm", "v6"), For("armel", null), For("arm", "v7"), For("amd64", null),
            OciDescriptor.Create(OciMediaType.DockerManifest, image.Digest, image.Size), OciDescriptor.Create(OciMediaType.Index, image.Digest, image.Size));
        _layout.WriteIndex(TestLayout.Named(index, "docker.io/library/a:1"));
        Assert.Equal(
            [
                "PlatformMismatch index.json/manifests[0]/manifests[2]", "PlatformMismatch index.json/manifests[0]/manifests[3]",
                "MediaTypeDiffers index.json/manifests[0]/manifests[4]", "MediaTypeDiffers index.json/manifests[0]/manifests[5]",
            ],
            await CheckAsync());
    }

    [Fact]
    public async Task A_folder_in_the_place_of_a_blob_is_told()
    {
        var image = Image();
        _layout.WriteIndex(image);
        var layer = _layout.BlobPath(ManifestOf(image).Layers[0]);
        File.Delete(layer);
        Directory.CreateDirectory(layer);
        Assert.Equal(["BlobMissing index.json/manifests[0]/layers[0]", $"UnsafePath blobs/sha256/{Path.GetFileName(layer)}"], await CheckAsync());
    }

    [SkippableFact]
    public void A_blob_that_may_not_be_read_is_told()
    {
        var image = Image();
        _layout.WriteIndex(image);
        Assert.Equal(
            ["BlobUnreadable index.json/manifests[0]/layers[0]"],
            Unreadable.Try(_layout.Path, _layout.BlobPath(ManifestOf(image).Layers[0]), () => CheckAsync(fast: true)));
    }


    private static bool IsAboutEntry(string finding) => !finding.StartsWith("BlobUnreferenced", StringComparison.Ordinal);
}
