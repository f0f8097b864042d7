using BuildKit.Oci;
using BuildKit.Oci.Checking;
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

    [Theory]
    [InlineData(OciMediaType.Index, false)]
    [InlineData(OciMediaType.Manifest, true)]
    public async Task A_document_of_another_kind_than_its_descriptor_says_keeps_all_that_it_needs(string says, bool isIndex)
    {
        var image = _layout.AddImage("kept");
        var document = isIndex ? _layout.AddIndex(image) : image;
        _layout.WriteIndex(OciDescriptor.Create(says, document.Digest, document.Size));
        var lonely = _layout.AddBlob("lonely", "x");
        Assert.Equal([lonely.Digest.ToString()], await PlanAsync(force: true));
        Assert.Equal([lonely.Digest.ToString()], await PlanAsync());
    }

    // What ORAS and notation once wrote, the manifest of before schema 2, and what nobody knows.
    [Theory]
    [InlineData("application/vnd.oci.artifact.manifest.v1+json", """{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[BLOB]}""")]
    [InlineData("application/vnd.cncf.oras.artifact.manifest.v1+json", """{"mediaType":"application/vnd.cncf.oras.artifact.manifest.v1+json","blobs":[BLOB]}""")]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws", """{"schemaVersion":1,"fsLayers":[{"blobSum":"DIGEST"}]}""")]
    [InlineData("application/x.bundle", """{"parts":{"DIGEST":1}}""")]
    [InlineData("", """[["DIGEST"]]""")]
    public async Task What_documents_of_other_forms_name_stays(string mediaType, string text)
    {
        var blob = _layout.AddBlob("what it consists of", "text/plain");
        _layout.WriteIndex(_layout.AddBlob(Filled(text), mediaType));
        Assert.Empty(await PlanAsync());
        Assert.DoesNotContain((await OciLayoutCheck.RunAsync(_layout.Path, false, null, default)).Findings, finding => finding.Id == "BlobUnreferenced");

        // As something about an image that stays, and listed nowhere.
        var image = _layout.AddImage("image");
        _layout.WriteIndex(image);
        if (text.StartsWith('{'))
            _layout.AddBlob(Filled($$"""{"subject":{{image}},{{text[1..]}}"""), mediaType);
        var goes = text.StartsWith('{') ? 1 : 2;
        Assert.Equal(goes, (await PlanAsync()).Length);

        string Filled(string form) => form.Replace("BLOB", blob.ToString(), StringComparison.Ordinal).Replace("DIGEST", blob.Digest.ToString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void What_cannot_be_listed_is_denied_and_nothing_else()
    {
        _layout.WriteIndex(_layout.AddImage("image"));
        foreach (var act in (Func<Task>[])[() => OciLayoutCheck.RunAsync(_layout.Path, true, null, default), () => PlanAsync()])
            Assert.Equal("BuildKit.OciLayoutDenied", Unreadable.Try(_layout.Path, _layout["blobs/sha256"], () => Assert.ThrowsAsync<BuildKitException>(act)).ErrorId);
    }
}
