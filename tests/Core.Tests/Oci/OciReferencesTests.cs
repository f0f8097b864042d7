using BuildKit.Oci;
using BuildKit.Oci.Editing;
using Xunit;

namespace BuildKit.Tests.Oci;

public sealed class OciReferencesTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    private Task<OciReferenceResult> SetAsync(string reference, string? from = null, bool force = false) =>
        OciReferences.SetAsync(_layout.Path, new() { Reference = reference, From = from, Force = force }, default);

    private async Task<List<(string?, string?, string)>> NamesAsync() =>
        (await OciIndexReader.ListAsync(_layout.Path, recurse: false, default)).Select(entry => (entry.ImageName, entry.RefName, entry.Digest)).ToList();

    [Fact]
    public async Task An_image_gets_names()
    {
        var image = _layout.AddImage("one");
        var digest = image.Digest.ToString();
        _layout.WriteIndex(image);
        Assert.True((await SetAsync("app:1")).Changed);
        Assert.Equal([("docker.io/library/app:1", "1", digest)], await NamesAsync());
        Assert.False((await SetAsync("docker.io/library/app:1")).Changed);
        Assert.Equal(["docker.io/library/app:1", "r.example.com/team/app:2"], (await SetAsync("r.example.com/team/app:2")).Names);
        await SetAsync("latest");
        Assert.Equal([("docker.io/library/app:1", "1", digest), ("r.example.com/team/app:2", "2", digest), (null, "latest", digest)], await NamesAsync());
    }

    [Fact]
    public async Task Of_several_images_one_is_chosen()
    {
        var (one, two) = (_layout.AddImage("one"), _layout.AddImage("two"));
        var nested = _layout.AddIndex(TestLayout.WithPlatform(two, "amd64"));
        _layout.WriteIndex(TestLayout.Named(one, "docker.io/library/a:1"), TestLayout.Named(nested, "docker.io/library/b:1"));
        await Assert.ThrowsAsync<OciImagesDifferException>(() => SetAsync("c:1"));
        Assert.Equal(one.Digest.ToString(), (await SetAsync("c:1", "a:1")).Digest);
        Assert.Equal(nested.Digest.ToString(), (await SetAsync("c:2", nested.Digest.ToString())).Digest);
        // Within an index, too, and nothing that is no manifest.
        Assert.Equal(two.Digest.ToString(), (await SetAsync("c:3", two.Digest.ToString())).Digest);
        Assert.Equal(OciMediaType.Manifest, (await OciIndexReader.ListAsync(_layout.Path, false, default))[^1].MediaType);
        var config = OciManifest.Parse(await File.ReadAllBytesAsync(_layout.BlobPath(one))).Config!;
        Assert.Equal("BuildKit.OciBlobInvalid", (await Assert.ThrowsAsync<BuildKitException>(() => SetAsync("c:4", config.Digest.ToString()))).ErrorId);
        Assert.Equal("BuildKit.OciImageNotFound", (await Assert.ThrowsAsync<BuildKitException>(() => SetAsync("c:4", "z:1"))).ErrorId);
        Assert.Equal("BuildKit.InvalidTag", (await Assert.ThrowsAsync<BuildKitException>(() => SetAsync("C:UPPER:4", "a:1"))).ErrorId);
    }

    [Fact]
    public async Task A_name_is_taken_from_another_image_only_by_force()
    {
        var (one, two) = (_layout.AddImage("one"), _layout.AddImage("two"));
        _layout.WriteIndex(TestLayout.Named(one, "docker.io/library/a:1"), TestLayout.Named(two, "docker.io/library/a:2"));
        Assert.Equal("BuildKit.OciReferenceExists", (await Assert.ThrowsAsync<BuildKitException>(() => SetAsync("a:1", "a:2"))).ErrorId);
        Assert.Equal(one.Digest.ToString(), (await SetAsync("a:1", "a:2", force: true)).PreviousDigest);
        Assert.DoesNotContain(("docker.io/library/a:1", "1", one.Digest.ToString()), await NamesAsync());
        Assert.Contains(("docker.io/library/a:1", "1", two.Digest.ToString()), await NamesAsync());
        // The image that lost it is listed still.
        Assert.Contains((null, null, one.Digest.ToString()), await NamesAsync());
    }

    [Fact]
    public async Task A_tag_alone_is_one_image_in_the_layout()
    {
        var (one, two, three) = (_layout.AddImage("one"), _layout.AddImage("two"), _layout.AddImage("three"));
        _layout.WriteIndex(TestLayout.Named(one, "docker.io/library/a:1"), TestLayout.Named(two, "docker.io/library/b:1"), three.With(null, "3"));
        Assert.Equal("BuildKit.OciReferenceExists", (await Assert.ThrowsAsync<BuildKitException>(() => SetAsync("1", "3"))).ErrorId);
        await SetAsync("1", "3", force: true);
        Assert.Equal([(null, null, one.Digest.ToString()), (null, null, two.Digest.ToString()), (null, "3", three.Digest.ToString()), (null, "1", three.Digest.ToString())], await NamesAsync());
        // Of two names with one tag only the one that is meant goes.
        await SetAsync("c:1", "3");
        Assert.Equal(["1", "3"], (await OciReferences.RemoveAsync(_layout.Path, "c:1", false, default)).Names.Order());
    }

    [Fact]
    public async Task Names_are_taken_away()
    {
        var image = _layout.AddImage("one");
        var digest = image.Digest.ToString();
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/a:1"), TestLayout.Named(image, "docker.io/library/a:2"), TestLayout.Named(image, "docker.io/library/a:3"));
        await new OciIndexRepair(_layout.Path, new()).RunAsync(default);

        Assert.Equal(["docker.io/library/a:1", "docker.io/library/a:3"], (await OciReferences.RemoveAsync(_layout.Path, "a:2", false, default)).Names);
        // The name that it is found by makes room for one that was kept.
        Assert.Equal(["docker.io/library/a:3"], (await OciReferences.RemoveAsync(_layout.Path, "1", false, default)).Names);
        Assert.Equal([("docker.io/library/a:3", "3", digest)], await NamesAsync());
        await OciReferences.RemoveAsync(_layout.Path, "a:3", false, default);
        Assert.Equal([(null, null, digest)], await NamesAsync());
        Assert.Equal("BuildKit.OciImageNotFound", (await Assert.ThrowsAsync<BuildKitException>(() => OciReferences.RemoveAsync(_layout.Path, "a:3", false, default))).ErrorId);
        await OciReferences.RemoveAsync(_layout.Path, digest, true, default);
        Assert.Empty(await NamesAsync());
        Assert.True(File.Exists(_layout.BlobPath(image)));
    }

    [Fact]
    public async Task An_archive_gets_names_too()
    {
        _layout.WriteIndex(TestLayout.Named(_layout.AddImage("one"), "docker.io/library/a:1"));
        var archive = _layout.Pack("a.tar");
        await OciReferences.SetAsync(archive, new() { Reference = "b:1" }, default);
        Assert.Equal(["docker.io/library/a:1", "docker.io/library/b:1"], (await OciIndexReader.ListAsync(archive, false, default)).Select(entry => entry.ImageName));
    }

    [Fact]
    public async Task What_nothing_refers_to_is_removed_unless_something_can_not_be_read()
    {
        var (one, two) = (_layout.AddImage("one"), _layout.AddImage("two"));
        _layout.WriteIndex(TestLayout.Named(one, "docker.io/library/a:1"));
        Assert.Equal(3, (await OciLayoutCleanup.PlanAsync(_layout.Path, default)).Count);
        Assert.Equal(6, Directory.GetFiles(_layout["blobs/sha256"]).Length);
        var removed = await OciLayoutCleanup.RunAsync(_layout.Path, default);
        Assert.Contains(two.Digest.ToString(), removed.Select(blob => blob.Digest));
        Assert.Equal(3, Directory.GetFiles(_layout["blobs/sha256"]).Length);
        Assert.Empty(await OciLayoutCleanup.RunAsync(_layout.Path, default));

        _layout.AddBlob("lonely", "x");
        File.Delete(_layout.BlobPath(one));
        Assert.Equal("BuildKit.OciLayoutIncomplete", (await Assert.ThrowsAsync<BuildKitException>(() => OciLayoutCleanup.RunAsync(_layout.Path, default))).ErrorId);
        Assert.Equal(3, Directory.GetFiles(_layout["blobs/sha256"]).Length);
        Assert.Equal("BuildKit.OciLayoutInvalid", (await Assert.ThrowsAsync<BuildKitException>(() => OciLayoutCleanup.RunAsync(_layout.Pack("a.tar"), default))).ErrorId);
    }

    [Fact]
    public async Task Blobs_that_are_shared_by_a_link_are_not_removed()
    {
        _layout.WriteIndex(_layout.AddImage("one"));
        _layout.AddBlob("of another layout", "x");
        Directory.Move(_layout["blobs"], _layout["shared"]);
        Directory.CreateSymbolicLink(_layout["blobs"], _layout["shared"]);
        Assert.Equal("BuildKit.OciUnsafePath", (await Assert.ThrowsAsync<BuildKitException>(() => OciLayoutCleanup.RunAsync(_layout.Path, default))).ErrorId);
        Assert.Equal(4, Directory.GetFiles(_layout["shared/sha256"]).Length);
    }
}
