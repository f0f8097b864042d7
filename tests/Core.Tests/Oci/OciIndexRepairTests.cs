using System.Formats.Tar;
using BuildKit.Oci;
using BuildKit.Oci.Editing;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Oci;

public sealed class OciIndexRepairTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    private Task<OciIndexRepairResult> RepairAsync(OciIndexRepairOptions? options = null, string? path = null) =>
        new OciIndexRepair(path ?? _layout.Path, options ?? new()).RunAsync(default);

    private static async Task<OciIndexEntry> OnlyEntryAsync(string path) => Assert.Single(await OciIndexReader.ListAsync(path, recurse: false, default));

    private (OciDescriptor One, OciDescriptor Two) WriteTwoImages()
    {
        var (one, two) = (_layout.AddImage("one"), _layout.AddImage("two", "arm64"));
        _layout.WriteIndex(TestLayout.Named(one, "docker.io/library/a:1"), TestLayout.Named(two, "docker.io/library/b:2"));
        return (one, two);
    }

    [Fact]
    public async Task Entries_for_one_image_become_one_that_keeps_all_names()
    {
        var image = _layout.AddImage("one");
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2"), image.With(null, "3"));

        var result = await RepairAsync();
        Assert.Equal((true, "docker.io/library/a:1", 3, 1), (result.Changed, result.Name, result.EntriesBefore, result.EntriesAfter));
        Assert.Equal(["docker.io/library/a:2", "3"], result.OtherNames);
        Assert.Equal(image.Digest.ToString(), result.Digest);
        Assert.Empty(result.RemovedNames);
        var entry = await OnlyEntryAsync(_layout.Path);
        Assert.Equal(("docker.io/library/a:1", "1"), (entry.ImageName, entry.RefName));
        Assert.Equal(["docker.io/library/a:2", "3"], entry.OtherNames);

        // Once more changes nothing; another name can still be taken, and the names be forgotten.
        var text = await File.ReadAllTextAsync(_layout.IndexPath);
        Assert.False((await RepairAsync()).Changed);
        Assert.Equal(text, await File.ReadAllTextAsync(_layout.IndexPath));
        Assert.Equal(["3", "docker.io/library/a:1"], (await RepairAsync(new() { Reference = "a:2" })).OtherNames.Order());
        Assert.Equal(("docker.io/library/a:2", "2"), ((await OnlyEntryAsync(_layout.Path)).ImageName, (await OnlyEntryAsync(_layout.Path)).RefName));
        var dropped = await RepairAsync(new() { DropNames = true });
        Assert.Equal(["3", "docker.io/library/a:1"], dropped.RemovedNames.Order());
        Assert.Empty((await OnlyEntryAsync(_layout.Path)).OtherNames);
    }

    [Fact]
    public async Task Different_images_are_refused_with_the_choices_and_nothing_is_written()
    {
        var (one, two) = WriteTwoImages();
        var text = await File.ReadAllTextAsync(_layout.IndexPath);
        var error = await Assert.ThrowsAsync<OciImagesDifferException>(() => RepairAsync(new() { Backup = true }));
        Assert.Equal("BuildKit.OciImagesDiffer", error.ErrorId);
        Assert.Equal([one.Digest.ToString(), two.Digest.ToString()], error.Choices.Select(choice => choice.Digest));
        Assert.Contains("docker.io/library/b:2", error.Message, StringComparison.Ordinal);
        Assert.Equal(text, await File.ReadAllTextAsync(_layout.IndexPath));
        Assert.Empty(Directory.GetFiles(_layout.Path, "*.bak"));
    }

    [Theory]
    [InlineData("docker.io/library/b:2")]
    [InlineData("b:2")]
    [InlineData("2")]
    [InlineData("digest")]
    public async Task A_reference_decides(string reference)
    {
        var (one, two) = WriteTwoImages();
        var result = await RepairAsync(new() { Reference = reference == "digest" ? two.Digest.ToString() : reference });
        Assert.Equal((two.Digest.ToString(), "docker.io/library/b:2"), (result.Digest, result.Name));
        Assert.Equal(["docker.io/library/a:1"], result.RemovedNames);
        Assert.Equal([one.Digest.ToString()], result.RemovedDigests);
        Assert.True(File.Exists(_layout.BlobPath(one)));
    }

    [Fact]
    public async Task A_reference_that_means_nothing_or_several_decides_nothing()
    {
        _layout.WriteIndex(TestLayout.Named(_layout.AddImage("one"), "docker.io/library/a:1"), TestLayout.Named(_layout.AddImage("two"), "docker.io/library/b:1"));
        Assert.Equal("BuildKit.OciImageNotFound", (await Assert.ThrowsAsync<BuildKitException>(() => RepairAsync(new() { Reference = "c:1" }))).ErrorId);
        Assert.Equal(2, (await Assert.ThrowsAsync<OciImagesDifferException>(() => RepairAsync(new() { Reference = "1" }))).Choices.Count);
    }

    [Fact]
    public async Task A_platform_decides_among_entries_and_within_an_index()
    {
        var (one, two) = WriteTwoImages();
        var result = await RepairAsync(new() { Platform = "arm64" });
        Assert.Equal((two.Digest.ToString(), "docker.io/library/b:2"), (result.Digest, result.Name));
        Assert.Equal("linux/arm64", (await OnlyEntryAsync(_layout.Path)).Platform?.ToString());

        var nested = _layout.AddIndex(TestLayout.WithPlatform(one, "amd64"), TestLayout.WithPlatform(two, "arm64"));
        _layout.WriteIndex(TestLayout.Named(nested, "docker.io/library/c:1"), TestLayout.Named(nested, "docker.io/library/c:2"));
        result = await RepairAsync(new() { Platform = "linux/amd64" });
        Assert.Equal((one.Digest.ToString(), "docker.io/library/c:1", OciMediaType.Manifest), (result.Digest, result.Name, result.MediaType));
        Assert.Equal(["docker.io/library/c:2"], result.OtherNames);

        var error = await Assert.ThrowsAsync<BuildKitException>(() => RepairAsync(new() { Platform = "linux/s390x" }));
        Assert.Equal("BuildKit.OciPlatformNotFound", error.ErrorId);
        Assert.Contains("linux/amd64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_can_be_kept_in_one_index()
    {
        var (one, two) = WriteTwoImages();
        var result = await RepairAsync(new() { AsNestedIndex = true, Reference = "all:1" });
        Assert.Equal(("docker.io/library/all:1", OciMediaType.Index), (result.Name, result.MediaType));
        Assert.Equal(["docker.io/library/a:1", "docker.io/library/b:2"], result.OtherNames);
        Assert.Empty(result.RemovedDigests);
        var entries = await OciIndexReader.ListAsync(_layout.Path, recurse: true, default);
        Assert.Equal(
            [("linux/amd64", one.Digest.ToString(), (string?)null), ("linux/arm64", two.Digest.ToString(), null)],
            entries.Skip(1).Select(entry => (entry.Platform!.ToString(), entry.Digest, entry.ImageName)));
        Assert.False((await RepairAsync(new() { AsNestedIndex = true, Reference = "all:1" })).Changed);

        _layout.WriteIndex(_layout.AddImage("one"), _layout.AddImage("other"));
        Assert.Equal(2, (await Assert.ThrowsAsync<OciImagesDifferException>(() => RepairAsync(new() { AsNestedIndex = true }))).Choices.Count);
    }

    [Fact]
    public async Task A_plan_writes_nothing_and_a_backup_keeps_each_old_index()
    {
        var image = _layout.AddImage("one");
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2"));
        var old = await File.ReadAllTextAsync(_layout.IndexPath);
        var repair = new OciIndexRepair(_layout.Path, new() { Backup = true });
        Assert.True((await repair.PlanAsync(default)).Changed);
        Assert.Equal(old, await File.ReadAllTextAsync(_layout.IndexPath));

        Assert.Equal(_layout["index.json.bak"], (await repair.RunAsync(default)).Backup);
        Assert.Equal(old, await File.ReadAllTextAsync(_layout["index.json.bak"]));
        Assert.Equal(_layout["index.json.bak.1"], (await RepairAsync(new() { Backup = true, DropNames = true })).Backup);
        Assert.Null((await RepairAsync(new() { Backup = true, DropNames = true })).Backup);
    }

    [Fact]
    public async Task What_was_planned_for_another_index_is_decided_anew()
    {
        var (one, two) = (_layout.AddImage("one"), _layout.AddImage("two"));
        _layout.WriteIndex(TestLayout.Named(one, "docker.io/library/a:1"), TestLayout.Named(one, "docker.io/library/a:2"));
        var repair = new OciIndexRepair(_layout.Path, new());
        await repair.PlanAsync(default);
        _layout.WriteIndex(TestLayout.Named(two, "docker.io/library/a:3"), TestLayout.Named(two, "docker.io/library/a:4"));
        Assert.Equal((two.Digest.ToString(), "docker.io/library/a:3"), ((await repair.RunAsync(default)).Digest, (await OnlyEntryAsync(_layout.Path)).ImageName));
    }

    [Theory]
    [InlineData(TarEntryFormat.Pax, false)]
    [InlineData(TarEntryFormat.Gnu, false)]
    [InlineData(TarEntryFormat.Ustar, true)]
    public async Task An_archive_is_written_anew_with_everything_else_as_it_was(TarEntryFormat format, bool gzip)
    {
        var big = new byte[3_000_000];
        new Random(3).NextBytes(big);
        var blob = _layout.AddBlob(big, "x");
        var image = _layout.AddImage("one");
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2"));
        File.Delete(_layout["oci-layout"]);
        var path = _layout.Pack("a.tar", format, "./");
        if (gzip)
            TemporaryDirectory.Run("gzip", path);
        path = gzip ? path + ".gz" : path;
        File.CreateSymbolicLink(_layout["link.tar"], path);
        TemporaryDirectory.Run("chmod", "600", path);

        var result = await RepairAsync(new() { Backup = true }, _layout["link.tar"]);
        Assert.Equal(("docker.io/library/a:1", path + ".index.json.bak"), (result.Name, result.Backup));
        Assert.NotNull(new FileInfo(_layout["link.tar"]).LinkTarget);
        Assert.Equal("600", TemporaryDirectory.Run("stat", "-c", "%a", path));
        await using (var source = await OciContentSources.OpenAsync(path, default))
        {
            Assert.Equal(big, await source.ReadBlobAsync(blob, big.Length, default));
            Assert.Equal(image.Digest, Assert.Single((await source.ReadIndexAsync(default)).Manifests).Digest);
            Assert.Equal(4, source.ListBlobs().Count());
        }
        // tar itself agrees, and finds what umoci wants.
        var names = TemporaryDirectory.Run("tar", "-tf", path).Split('\n');
        Assert.Single(names, name => name.EndsWith("index.json", StringComparison.Ordinal));
        Assert.Contains("oci-layout", names);
        Assert.False((await RepairAsync(path: path)).Changed);
        Assert.Empty(Directory.GetFiles(_layout.Path, ".*partial"));
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task On_a_full_disk_everything_stays_as_it_is(bool archive)
    {
        var image = _layout.AddImage("one");
        // As many names as make the new index too large.
        _layout.WriteIndex([.. Enumerable.Range(0, 1000).Select(i => TestLayout.Named(image, $"docker.io/library/a:{i}"))]);
        _layout.AddBlob(new byte[600_000], "x");
        using var disk = SmallDisk.Mount(_layout["disk"]);
        var path = archive ? Path.Combine(_layout["disk"], "a.tar") : Path.Combine(_layout["disk"], "index.json");
        File.Copy(archive ? _layout.Pack("a.tar") : _layout.IndexPath, path);
        if (!archive)
            await FillAsync(_layout["disk/full"]);
        var before = await File.ReadAllBytesAsync(path);
        var names = Directory.GetFileSystemEntries(_layout["disk"]);

        Assert.Equal("BuildKit.OciLayoutUnwritable", (await Assert.ThrowsAsync<BuildKitException>(() => RepairAsync(path: path))).ErrorId);
        Assert.Equal(before, await File.ReadAllBytesAsync(path));
        Assert.Equal(names.Order(), Directory.GetFileSystemEntries(_layout["disk"]).Order());
    }

    private static async Task FillAsync(string path)
    {
        await using var file = File.Create(path);
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            for (; ; )
            {
                await file.WriteAsync(new byte[4096]);
                await file.FlushAsync();
            }
        });
    }

    [Fact]
    public async Task A_missing_version_file_is_added()
    {
        _layout.WriteIndex(TestLayout.Named(_layout.AddImage("one"), "docker.io/library/a:1"));
        File.Delete(_layout["oci-layout"]);
        Assert.True((await RepairAsync()).Changed);
        Assert.Equal("""{"imageLayoutVersion":"1.0.0"}""", await File.ReadAllTextAsync(_layout["oci-layout"]));
        Assert.False((await RepairAsync()).Changed);
    }

    [Fact]
    public async Task An_index_without_a_layout_is_repaired_alone()
    {
        var image = TestLayout.Describe([1], OciMediaType.Manifest);
        Directory.CreateDirectory(_layout["alone"]);
        await File.WriteAllTextAsync(_layout["alone/saved.json"], TestLayout.IndexText(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2")));
        Assert.True((await RepairAsync(path: _layout["alone/saved.json"])).Changed);
        Assert.Equal(["saved.json"], Directory.GetFileSystemEntries(_layout["alone"]).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_link_in_the_place_of_the_index_is_not_written_through()
    {
        var image = TestLayout.Describe([1], OciMediaType.Manifest);
        await File.WriteAllTextAsync(_layout["elsewhere"], TestLayout.IndexText(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2")));
        File.CreateSymbolicLink(_layout.IndexPath, _layout["elsewhere"]);
        Assert.Equal("BuildKit.OciUnsafePath", (await Assert.ThrowsAsync<BuildKitException>(() => RepairAsync())).ErrorId);
    }

    [Fact]
    public async Task An_index_that_is_a_link_to_a_blob_leaves_the_blob_where_it_is()
    {
        var image = _layout.AddImage("one");
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2"));
        var index = _layout.AddBlob(await File.ReadAllBytesAsync(_layout.IndexPath), OciMediaType.Index);
        File.Delete(_layout.IndexPath);
        var path = _layout.Pack("a.tar", TarEntryFormat.Pax, more: writer =>
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "index.json") { LinkName = $"blobs/sha256/{index.Digest.Hex}" }));
        Assert.True((await RepairAsync(path: path)).Changed);
        await using var source = await OciContentSources.OpenAsync(path, default);
        Assert.Single((await source.ReadIndexAsync(default)).Manifests);
        Assert.Equal(index.Size, (await source.ReadBlobAsync(index, 4096, default)).Length);
        Assert.Equal(4, source.ListBlobs().Count());
    }

    [Fact]
    public async Task What_only_its_owner_may_read_stays_so_while_it_is_written_and_in_the_backup()
    {
        var image = _layout.AddImage("one");
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2"));
        var path = _layout.Pack("a.tar");
        TemporaryDirectory.Run("chmod", "600", path, _layout.IndexPath);
        var seen = "";
        await using (var source = (OciArchiveSource)await OciContentSources.OpenAsync(path, default))
            await OciArchiveRewrite.RunAsync(source, path, File.ReadAllBytes(_layout.IndexPath), [], () => seen = Mode(Directory.GetFiles(_layout.Path, ".a.tar*").Single()), default);
        Assert.Equal("600", seen);

        Assert.Equal("600", Mode((await RepairAsync(new() { Backup = true })).Backup!));
        Assert.Equal("600", Mode(_layout.IndexPath));
        Assert.Equal("600", Mode((await RepairAsync(new() { Backup = true }, path)).Backup!));

        static string Mode(string path) => TemporaryDirectory.Run("stat", "-c", "%a", path);
    }

    [Fact]
    public async Task An_archive_that_another_program_changes_meanwhile_is_left_alone()
    {
        var image = _layout.AddImage("one");
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2"));
        var path = _layout.Pack("a.tar");
        await using var source = (OciArchiveSource)await OciContentSources.OpenAsync(path, default);
        File.WriteAllText(path + ".new", "another");
        File.Move(path + ".new", path, overwrite: true);
        var error = await Assert.ThrowsAsync<BuildKitException>(() => OciArchiveRewrite.RunAsync(source, path, [], [], () => Assert.Fail("moved"), default));
        Assert.Equal("BuildKit.OciLayoutChanged", error.ErrorId);
        Assert.Equal("another", File.ReadAllText(path));
        Assert.Empty(Directory.GetFiles(_layout.Path, ".a.tar*"));
    }
}
