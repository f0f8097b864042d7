using System.Text;
using BuildKit.Oci;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Oci;

public sealed class OciLayoutTests : IDisposable
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Digest512 =
        "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private Task PutAsync(OciImageName name, string? extra = null) => new OciLayout(_directory.Path).UpdateAsync(
        () => { },
        index => index.Put(OciDescriptor.Parse(Encoding.UTF8.GetBytes(
            $$$"""{"size":3,"digest":"{{{Digest}}}","mediaType":"application/vnd.oci.image.manifest.v1+json"{{{extra}}},"platform":{"os":"linux"}}""")), name),
        default);

    [Theory]
    [InlineData("oci-layout:///a/b", "/a/b", null, null)]
    [InlineData("oci-layout:///a/b:1.3", "/a/b", "1.3", null)]
    [InlineData("oci-layout:///a/b@" + Digest, "/a/b", null, Digest)]
    [InlineData("oci-layout:///a/b@" + Digest512, "/a/b", null, Digest512)]
    [InlineData("oci-layout:///a/@/b:c/d:t@" + Digest, "/a/@/b:c/d", "t", Digest)]
    [InlineData("oci-layout:///a/b@sha256:abc", "/a/b@sha256", "abc", null)]
    [InlineData("oci-layout://rel:1", "rel", "1", null)]
    [InlineData(@"oci-layout://C:\a\b", @"C:\a\b", null, null)]
    [InlineData(@"oci-layout://C:/a/b:1@" + Digest, @"C:/a/b", "1", Digest)]
    public void A_reference_has_a_path_a_tag_and_a_digest(string text, string path, string? tag, string? digest)
    {
        var reference = OciLayoutReference.Parse(text);
        Assert.Equal(new OciLayoutReference(path, tag, digest), reference);
        Assert.Equal(text, reference.ToString());
    }

    [Fact]
    public async Task A_new_index_is_what_buildkit_writes()
    {
        await PutAsync(OciImageName.FromImage("docker.io/library/app:1"), ""","annotations":{"z":"<ö>","a":"+"}""");
        Assert.Equal(
            $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{Digest}}}","size":3,"annotations":{"a":"+","io.containerd.image.name":"docker.io/library/app:1","org.opencontainers.image.ref.name":"1","z":"<ö>"},"platform":{"os":"linux"}}]}""",
            await File.ReadAllTextAsync(_directory["index.json"]));
        Assert.Equal("""{"imageLayoutVersion":"1.0.0"}""", await File.ReadAllTextAsync(_directory["oci-layout"]));
        Assert.Equal(["index.json", "oci-layout"], _directory.List());
    }

    [Fact]
    public async Task Other_entries_and_unknown_fields_are_kept()
    {
        await File.WriteAllTextAsync(
            _directory["index.json"],
            $$$"""
            { "manifests": [
                {"mediaType":"m","digest":"{{{Digest}}}","size":1,"annotations":{"org.opencontainers.image.ref.name":"1"},"new":{"x":[1,  2.50]}},
                { "mediaType": "m", "digest": "{{{Digest512}}}", "size": 2 },
                { "mediaType": "m", "digest": "{{{Digest512}}}", "size": 2, "annotations": { "org.opencontainers.image.ref.name": "2" } } ],
              "schemaVersion":2, "annotations":{"a":"b"}, "future":null }
            """);
        await PutAsync(OciImageName.FromTag("2"));
        Assert.Equal(
            $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"m","digest":"{{{Digest}}}","size":1,"annotations":{"org.opencontainers.image.ref.name":"1"},"new":{"x":[1,  2.50]}},{ "mediaType": "m", "digest": "{{{Digest512}}}", "size": 2 },{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{Digest}}}","size":3,"annotations":{"org.opencontainers.image.ref.name":"2"},"platform":{"os":"linux"}}],"annotations":{"a":"b"},"future":null}""",
            await File.ReadAllTextAsync(_directory["index.json"]));
    }

    [Fact]
    public async Task An_entry_is_found_by_its_whole_name_first()
    {
        await PutAsync(OciImageName.FromTag("1"));
        await PutAsync(OciImageName.FromImage("docker.io/library/app:1"));
        await PutAsync(OciImageName.FromImage("docker.io/library/app:1"));
        var index = new OciLayout(_directory.Path).ReadIndex();
        Assert.Equal(["1", "docker.io/library/app:1"], index.Manifests.Select(manifest => manifest.Name));
        Assert.Equal("docker.io/library/app:1", index.Find("docker.io/library/app:1")?.ImageName);
        Assert.Null(index.Find("1")?.ImageName);
        Assert.Null(index.Find("2"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"manifests\":{}}")]
    [InlineData("{\"manifests\":[1]}")]
    [InlineData("{\"manifests\":[{\"digest\":\"sha256:..\",\"size\":1}]}")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{\"manifests\":[")]
    public async Task A_broken_index_is_named_and_left_as_it_is(string text)
    {
        await File.WriteAllTextAsync(_directory["index.json"], text);
        Assert.Equal("BuildKit.OciLayoutInvalid", Assert.Throws<BuildKitException>(() => new OciLayout(_directory.Path).ReadIndex()).ErrorId);
        Assert.Equal("BuildKit.OciLayoutInvalid", (await Assert.ThrowsAsync<BuildKitException>(() => PutAsync(OciImageName.FromTag("1")))).ErrorId);
        Assert.Equal(text, await File.ReadAllTextAsync(_directory["index.json"]));
        Assert.Equal(["index.json"], _directory.List());
    }

    [Fact]
    public void What_is_no_layout_says_why()
    {
        File.WriteAllText(_directory["archive.tar"], "");
        Assert.Equal("BuildKit.OciLayoutNotFound", Assert.Throws<BuildKitException>(() => OciLayout.Open(_directory["nothing"])).ErrorId);
        Assert.Contains("tar -xf", Assert.Throws<BuildKitException>(() => OciLayout.Open(_directory["archive.tar"])).RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("index.json", Assert.Throws<BuildKitException>(() => OciLayout.Open(_directory.Path).ReadIndex()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_updates_at_once_lose_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => PutAsync(OciImageName.FromTag($"{i}")))));
        Assert.Equal(Enumerable.Range(0, 40).Order(), new OciLayout(_directory.Path).ReadIndex().Manifests.Select(manifest => int.Parse(manifest.RefName!, null)).Order());
        Assert.Equal(["index.json", "oci-layout"], _directory.List());
    }

    [SkippableFact]
    public async Task The_lock_is_that_of_buildkits_tools()
    {
        Skip.If(OperatingSystem.IsWindows(), "flock is a program of Unix");
        var path = _directory["index.json"];
        using (await OciIndexLock.AcquireAsync(path, default))
            Assert.Throws<InvalidOperationException>(() => TemporaryDirectory.Run("flock", "--nonblock", path + ".lock", "true"));
        Assert.False(File.Exists(path + ".lock"));

        using var holder = System.Diagnostics.Process.Start("flock", [path + ".lock", "sleep", "600"]);
        try
        {
            await Poll.UntilAsync(() => File.Exists(path + ".lock") && !IsFree());
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => OciIndexLock.AcquireAsync(path, patience.Token));
        }
        finally
        {
            holder.Kill(entireProcessTree: true);
        }
        await holder.WaitForExitAsync();
        (await OciIndexLock.AcquireAsync(path, default)).Dispose();

        bool IsFree()
        {
            try
            {
                TemporaryDirectory.Run("flock", "--nonblock", path + ".lock", "true");
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }
    }
}
