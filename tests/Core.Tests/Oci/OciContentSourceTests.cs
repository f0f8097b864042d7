using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using BuildKit.Oci;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Oci;

public sealed class OciContentSourceTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    private static async Task<BuildKitException> FailAsync(Func<Task> act) => await Assert.ThrowsAsync<BuildKitException>(act);

    private static async Task<string> IdAsync(Func<Task> act) => (await FailAsync(act)).ErrorId;

    private static string Gzip(string path)
    {
        using var from = File.OpenRead(path);
        using var to = File.Create(path + ".gz");
        using var gzip = new GZipStream(to, CompressionLevel.Fastest);
        from.CopyTo(gzip);
        return path + ".gz";
    }

    private string Form(string form) => form switch
    {
        "directory" => _layout.Path,
        "index.json" => _layout.IndexPath,
        "gzip" => Gzip(_layout.Pack("a.tar")),
        "./" => _layout.Pack("a.tar", TarEntryFormat.Pax, "./"),
        _ => _layout.Pack("a.tar", Enum.Parse<TarEntryFormat>(form)),
    };

    [Theory]
    [InlineData("directory")]
    [InlineData("index.json")]
    [InlineData("Ustar")]
    [InlineData("Pax")]
    [InlineData("Gnu")]
    [InlineData("V7")]
    [InlineData("./")]
    [InlineData("gzip")]
    public async Task Every_form_of_a_layout_reads_the_same(string form)
    {
        var image = TestLayout.Named(_layout.AddImage("one"), "docker.io/library/app:1");
        var big = new byte[300_000];
        new Random(1).NextBytes(big);
        var blob = _layout.AddBlob(big, "application/octet-stream");
        var empty = _layout.AddBlob("", "application/octet-stream");
        _layout.WriteIndex(image);

        await using var source = await OciContentSources.OpenAsync(Form(form), default);
        var entry = Assert.Single((await source.ReadIndexAsync(default)).Manifests);
        Assert.Equal(("docker.io/library/app:1", "1"), (entry.ImageName, entry.RefName));
        var manifest = OciManifest.Parse(await source.ReadBlobAsync(entry, 4096, default));
        Assert.Equal("one", Encoding.UTF8.GetString(await source.ReadBlobAsync(manifest.Layers.Single(), 4096, default)));
        Assert.Equal(big, await source.ReadBlobAsync(blob, 1 << 20, default));
        Assert.Empty(await source.ReadBlobAsync(empty, 0, default));
        Assert.Equal(300_000, await source.FindBlobAsync(blob.Digest, default));
        Assert.Null(await source.FindBlobAsync(TestLayout.Describe([1], "").Digest, default));
        Assert.Equal(5, source.ListBlobs().Count());
        Assert.Equal(300_000 + empty.Size, source.ListBlobs().Where(found => found.Digest == blob.Digest || found.Digest == empty.Digest).Sum(found => found.Size));
        Assert.Empty(source.ListUnsafe());
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("Ustar")]
    public async Task Wrong_bytes_never_come_to_an_end(string form)
    {
        var content = new byte[100_000];
        var blob = _layout.AddBlob(content, "x");
        var shorter = _layout.AddBlob("12345", "x");
        _layout.WriteIndex();
        content[^1] = 1;
        File.WriteAllBytes(_layout.BlobPath(blob), content);
        File.WriteAllText(_layout.BlobPath(shorter), "1234");

        await using var source = await OciContentSources.OpenAsync(Form(form), default);
        var error = await FailAsync(() => source.ReadBlobAsync(blob, 1 << 20, default));
        Assert.Equal("BuildKit.OciBlobInvalid", error.ErrorId);
        Assert.Contains(TestLayout.Describe(content, "x").Digest.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Equal("BuildKit.OciBlobInvalid", await IdAsync(() => source.OpenBlobAsync(shorter, default)));
        Assert.Equal("BuildKit.OciBlobTooLarge", await IdAsync(() => source.ReadBlobAsync(blob, 99_999, default)));
        Assert.Equal("BuildKit.OciBlobNotFound", await IdAsync(() => source.OpenBlobAsync(TestLayout.Describe([7], "x"), default)));

        // Whoever stops reading when he has as many bytes as the descriptor says has met the error, too.
        await using var stream = await source.OpenBlobAsync(blob, default);
        var buffer = new byte[1000];
        var got = 0;
        await FailAsync(async () =>
        {
            while (got < blob.Size)
                got += await stream.ReadAsync(buffer);
        });
        Assert.True(got < blob.Size);
    }

    [Fact]
    public async Task Blobs_of_one_archive_are_read_at_the_same_time()
    {
        var blobs = Enumerable.Range(0, 8).Select(i => _layout.AddBlob(Enumerable.Repeat((byte)i, 200_000).ToArray(), "x")).ToList();
        _layout.WriteIndex();
        await using var source = await OciContentSources.OpenAsync(Form("Pax"), default);
        var read = await Task.WhenAll(blobs.Select(blob => Task.Run(() => source.ReadBlobAsync(blob, 1 << 20, default))));
        Assert.Equal(Enumerable.Range(0, 8), read.Select(bytes => (int)bytes[0]));
    }

    [Fact]
    public async Task Links_and_pipes_among_the_blobs_are_not_followed()
    {
        var secret = Encoding.UTF8.GetBytes("secret");
        var blob = _layout.AddBlob(secret, "x");
        var pipe = _layout.AddBlob("", "x");
        _layout.WriteIndex();
        File.WriteAllBytes(_layout["outside"], secret);
        File.Delete(_layout.BlobPath(blob));
        File.CreateSymbolicLink(_layout.BlobPath(blob), _layout["outside"]);
        File.Delete(_layout.BlobPath(pipe));
        TemporaryDirectory.Run("mkfifo", _layout.BlobPath(pipe));

        await using var source = await OciContentSources.OpenAsync(_layout.Path, default);
        Assert.Equal("BuildKit.OciUnsafePath", await IdAsync(() => source.OpenBlobAsync(blob, default)));
        Assert.Equal("BuildKit.OciUnsafePath", await IdAsync(() => source.OpenBlobAsync(pipe, default)));
        Assert.Equal(2, source.ListUnsafe().Count());
    }

    [Fact]
    public async Task Hostile_names_of_an_archive_are_left_out_and_told()
    {
        var blob = _layout.AddBlob("good", "x");
        var other = TestLayout.Describe(Encoding.UTF8.GetBytes("evil"), "x");
        var linked = TestLayout.Describe(Encoding.UTF8.GetBytes("linked"), "x");
        _layout.WriteIndex();
        var path = _layout.Pack("a.tar", TarEntryFormat.Pax, more: writer =>
        {
            Write($"../blobs/sha256/{other.Digest.Hex}", "evil");
            Write($"/blobs/sha256/{other.Digest.Hex}", "evil");
            Write($"blobs/sha256/x/../{other.Digest.Hex}", "evil");
            Write($"blobs/sha256/..\\{other.Digest.Hex}", "evil");
            Write("blobs/sha256/" + new string('a', 5000), "ignored");
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, $"blobs/sha256/{linked.Digest.Hex}") { LinkName = "/etc/passwd" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "blobs") { LinkName = "/" });

            void Write(string name, string content) =>
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
        });
        await using var source = await OciContentSources.OpenAsync(path, default);
        Assert.Equal([blob.Digest], source.ListBlobs().Select(found => found.Digest));
        Assert.Equal(6, source.ListUnsafe().Count());
        Assert.Contains(source.ListUnsafe(), entry => entry.Why.Contains("/etc/passwd", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_files_with_one_name_the_last_counts_and_hard_links_are_followed()
    {
        var blob = _layout.AddBlob("good", "x");
        _layout.WriteIndex();
        var index = TestLayout.IndexText(TestLayout.Named(blob, "b"));
        var path = _layout.Pack("a.tar", TarEntryFormat.Gnu, more: writer =>
        {
            writer.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, "index.json") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(index)) });
            writer.WriteEntry(new GnuTarEntry(TarEntryType.HardLink, $"blobs/sha256/{new string('0', 64)}") { LinkName = $"blobs/sha256/{blob.Digest.Hex}" });
        });
        await using var source = await OciContentSources.OpenAsync(path, default);
        Assert.Equal("b", (await source.ReadIndexAsync(default)).Manifests.Single().Name);
        Assert.Equal(4, await source.FindBlobAsync(OciDigest.Parse($"sha256:{new string('0', 64)}"), default));
    }

    [Theory]
    [InlineData(700, false)]
    [InlineData(-900_000, false)]
    [InlineData(-900_000, true)]
    public async Task A_cut_archive_says_so(int length, bool gzip)
    {
        var content = new byte[1_000_000];
        new Random(2).NextBytes(content);
        _layout.AddBlob(content, "x");
        _layout.WriteIndex();
        var path = _layout.Pack("a.tar");
        path = gzip ? Gzip(path) : path;
        using (var file = File.OpenWrite(path))
            file.SetLength(length < 0 ? file.Length + length : length);
        Assert.Equal("BuildKit.OciArchiveInvalid", await IdAsync(() => OciContentSources.OpenAsync(path, default)));
    }

    [Fact]
    public async Task What_is_no_layout_says_what_it_is()
    {
        Assert.Equal("BuildKit.OciLayoutNotFound", await IdAsync(() => OciContentSources.OpenAsync(_layout["nothing"], default)));
        await File.WriteAllBytesAsync(_layout["z"], [0x28, 0xB5, 0x2F, 0xFD, 0]);
        Assert.Contains("zstd -d", (await FailAsync(() => OciContentSources.OpenAsync(_layout["z"], default))).RecommendedAction, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_layout["t"], "text");
        Assert.Equal("BuildKit.OciLayoutInvalid", await IdAsync(() => OciContentSources.OpenAsync(_layout["t"], default)));
        TemporaryDirectory.Run("mkfifo", _layout["pipe"]);
        Assert.Equal("BuildKit.OciLayoutInvalid", await IdAsync(() => OciContentSources.OpenAsync(_layout["pipe"], default)));
        await using var empty = await OciContentSources.OpenAsync(_layout.Path, default);
        Assert.Contains("index.json", (await FailAsync(() => empty.ReadIndexAsync(default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_place_of_an_error_in_a_document_is_told()
    {
        Assert.Contains("line 3, byte 3", Message("{\n\"manifests\": [\n ]]}"), StringComparison.Ordinal);
        Assert.Contains("manifests[1]", Message($$"""{"manifests":[{"digest":"sha256:{{new string('0', 64)}}","size":1},{"digest":"sha256:0","size":1}]}"""), StringComparison.Ordinal);
        Assert.Contains("twice", Message("""{"manifests":[],"manifests":[]}"""), StringComparison.Ordinal);
        Assert.Contains("JSON", Message("""{"mediaType":"\ud800"}"""), StringComparison.Ordinal);
        Assert.Contains("JSON", Message("{} {}"), StringComparison.Ordinal);
        Assert.Contains("depth", Message($"{{\"x\":{new string('[', 1000)}"), StringComparison.Ordinal);

        static string Message(string text) => Assert.Throws<FormatException>(() => OciIndex.Parse(Encoding.UTF8.GetBytes(text))).Message;
    }
}
