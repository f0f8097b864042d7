using BuildKit.Oci;
using BuildKit.Oci.Editing;
using Xunit;

namespace BuildKit.Tests.Oci;

/// <summary>What must stay in a layout when all else is removed.</summary>
public sealed class OciLayoutCleanupTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    private async Task<string[]> PlanAsync(bool force = false) => (await OciLayoutCleanup.PlanAsync(_layout.Path, force, default)).Select(blob => blob.Digest).Order().ToArray();

    private OciDescriptor AddSignature(string content, OciDescriptor subject) => _layout.AddBlob(
        $$$"""{"schemaVersion":2,"mediaType":"{{{OciMediaType.Manifest}}}","artifactType":"application/x.signature","config":{{{_layout.AddBlob("{}", OciMediaType.Empty)}}},"layers":[{{{_layout.AddBlob(content, "text/plain")}}}],"subject":{{{subject}}}}""",
        OciMediaType.Manifest);

    [Fact]
    public async Task What_is_about_an_image_that_stays_stays_though_nothing_lists_it()
    {
        var image = _layout.AddImage("kept");
        AddSignature("of a signature", AddSignature("a signature", image));
        _layout.WriteIndex(_layout.AddIndex(image));
        var gone = _layout.AddImage("gone");
        var ofGone = AddSignature("of what goes", gone);
        var plan = await PlanAsync();
        Assert.Equal(5, plan.Length);
        Assert.Contains(gone.Digest.ToString(), plan);
        Assert.Contains(ofGone.Digest.ToString(), plan);
    }

    [Fact]
    public async Task What_something_that_stays_is_about_stays_with_its_layers()
    {
        var image = _layout.AddImage("signed");
        _layout.WriteIndex(AddSignature("a signature", image));
        Assert.Empty(await PlanAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("application/json")]
    public async Task An_entry_of_no_known_type_may_be_a_manifest(string mediaType)
    {
        var image = _layout.AddImage("x");
        _layout.WriteIndex(OciDescriptor.Create(mediaType, image.Digest, image.Size));
        var lonely = _layout.AddBlob("""{"layers":"none"}""", "");
        Assert.Equal([lonely.Digest.ToString()], await PlanAsync());
    }

    [Fact]
    public async Task What_a_damaged_manifest_needs_is_removed_only_by_force()
    {
        var (good, damaged) = (_layout.AddImage("good"), _layout.AddImage("damaged"));
        _layout.WriteIndex(good, damaged);
        await File.WriteAllTextAsync(_layout.BlobPath(damaged), new string(' ', (int)damaged.Size));
        Assert.Equal("BuildKit.OciLayoutIncomplete", (await Assert.ThrowsAsync<BuildKitException>(() => PlanAsync())).ErrorId);
        var plan = await PlanAsync(force: true);
        Assert.Equal(2, plan.Length);
        Assert.DoesNotContain(damaged.Digest.ToString(), plan);
        Assert.Equal(plan, (await OciLayoutCleanup.RunAsync(_layout.Path, force: true, default)).Select(blob => blob.Digest).Order());
        Assert.True(File.Exists(_layout.BlobPath(good)));
    }
}
