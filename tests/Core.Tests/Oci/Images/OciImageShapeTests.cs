using System.Text;
using BuildKit.Oci;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Images;
using Xunit;

namespace BuildKit.Tests.Oci.Images;

/// <summary>Images of every other shape, and damaged ones.</summary>
public sealed class OciImageShapeTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    private Task<IReadOnlyList<OciImage>> ReadAsync(OciImageQuery? query = null, Action<BuildKitException>? onMissing = null) =>
        OciImageReader.ReadAsync(OciAddress.AtPath(_layout.Path), query ?? new OciImageQuery(), onMissing, default);

    private async Task<string> FailAsync(OciImageQuery? query = null) => (await Assert.ThrowsAsync<BuildKitException>(() => ReadAsync(query))).ErrorId;

    private OciDescriptor AddArtifact(string content, OciDescriptor? subject = null, string layerType = "text/plain") => _layout.AddBlob(
        $$$"""{"schemaVersion":2,"mediaType":"{{{OciMediaType.Manifest}}}","artifactType":"application/x.thing","config":{{{_layout.AddBlob("{}", OciMediaType.Empty)}}},"layers":[{{{_layout.AddBlob(content, layerType)}}}]{{{(subject is null ? "" : $",\"subject\":{subject}")}}}}""",
        OciMediaType.Manifest);

    [Fact]
    public async Task An_artifact_is_no_image_and_says_what_it_is_about()
    {
        var image = _layout.AddImage("x");
        _layout.WriteIndex(image, AddArtifact("signed", image));
        var read = await ReadAsync();
        Assert.Equal(["linux/amd64", null], read.Select(one => one.Platform?.ToString()));
        Assert.Equal(("application/x.thing", image.Digest.ToString(), null), (read[1].ArtifactType, read[1].Subject, read[1].Config));
        Assert.Equal(6, Assert.Single(read[1].Layers).Size);
        Assert.Null(read[0].ArtifactType);
        Assert.Null(read[0].Index);
    }

    [Fact]
    public async Task What_an_index_lists_and_is_not_there_is_told_and_left_out()
    {
        var here = TestLayout.WithPlatform(_layout.AddImage("here"), "amd64");
        var away = TestLayout.WithPlatform(_layout.AddImage("away", "arm64"), "arm64");
        _layout.WriteIndex(_layout.AddIndex(here, away), TestLayout.Describe("nothing"u8.ToArray(), OciMediaType.Index));
        File.Delete(_layout.BlobPath(away));
        var missing = new List<BuildKitException>();
        Assert.Equal(here.Digest.ToString(), Assert.Single(await ReadAsync(null, missing.Add)).Digest);
        Assert.Equal(2, missing.Count);
        Assert.Equal("BuildKit.OciBlobNotFound", await FailAsync(new OciImageQuery { Platforms = ["linux/arm64"] }));
    }

    [Fact]
    public async Task What_is_damaged_is_an_error()
    {
        var image = _layout.AddImage("x");
        _layout.WriteIndex(image);
        var content = await File.ReadAllBytesAsync(_layout.BlobPath(image));
        content[20] ^= 1;
        await File.WriteAllBytesAsync(_layout.BlobPath(image), content);
        Assert.Equal("BuildKit.OciBlobInvalid", await FailAsync());

        _layout.WriteIndex(OciDescriptor.Create(OciMediaType.Manifest, image.Digest, 1L << 40));
        Assert.Equal("BuildKit.OciBlobTooLarge", await FailAsync());

        var config = _layout.AddBlob("[]", OciMediaType.Config);
        _layout.WriteIndex(_layout.AddBlob($$$"""{"schemaVersion":2,"config":{{{config}}},"layers":[]}""", OciMediaType.Manifest));
        Assert.Equal("BuildKit.OciBlobInvalid", await FailAsync());
    }

    [Fact]
    public async Task Many_ways_to_few_blobs_are_gone_once()
    {
        var at = _layout.AddIndex(_layout.AddImage("x"));
        for (var depth = 0; depth < 25; depth++)
            at = _layout.AddIndex(at, at, at);
        _layout.WriteIndex(at, at);
        Assert.Single(await ReadAsync().WaitAsync(TimeSpan.FromSeconds(60)));

        for (var depth = 0; depth < 10; depth++)
            at = _layout.AddIndex(at);
        _layout.WriteIndex(at);
        Assert.Equal("BuildKit.OciIndexTooDeep", await FailAsync());
    }

    [Fact]
    public async Task History_that_does_not_fit_the_layers_is_not_joined_with_them()
    {
        var layers = new[] { "a", "b" }.Select(content => _layout.AddBlob(content, "application/vnd.oci.image.layer.v1.tar")).ToList();
        var config = _layout.AddBlob("""{"architecture":"arm","variant":"v7","os":"linux","history":[{"created_by":"one"},null,{"created_by":"two","empty_layer":true}]}""", OciMediaType.Config);
        _layout.WriteIndex(_layout.AddBlob($$$"""{"schemaVersion":2,"config":{{{config}}},"layers":[{{{layers[0]}}},{{{layers[1]}}}]}""", OciMediaType.Manifest));
        var image = Assert.Single(await ReadAsync());
        Assert.Equal("linux/arm/v7", image.Platform!.ToString());
        Assert.Equal(["one", "two"], image.History.Select(step => step.CreatedBy));
        Assert.All(image.History, step => Assert.Null(step.Layer));
        Assert.All(image.Layers, layer => Assert.Null(layer.CreatedBy ?? layer.DiffId));
    }

    [Theory]
    [InlineData("application/vnd.in-toto.spdx+dsse", "eyJwcmVkaWNhdGVUeXBlIjoiaHR0cHM6Ly9zcGR4LmRldi9Eb2N1bWVudCIsInByZWRpY2F0ZSI6eyJuYW1lIjoibiJ9fQ==", "n")]
    [InlineData("application/vnd.in-toto.spdx+dsse", "!", null)]
    [InlineData("application/vnd.in-toto+json", null, null)]
    public async Task A_signed_statement_is_read_and_a_broken_one_is_an_error(string mediaType, string? payload, string? name)
    {
        var image = TestLayout.WithPlatform(_layout.AddImage("x"), "amd64");
        var statement = AddArtifact(payload is null ? "no statement" : $$"""{"payloadType":"application/vnd.in-toto+json","payload":"{{payload}}","signatures":[]}""", null, mediaType);
        var attestation = OciDescriptor.Parse(Encoding.UTF8.GetBytes(
            $$$"""{"mediaType":"{{{statement.MediaType}}}","digest":"{{{statement.Digest}}}","size":{{{statement.Size}}},"annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"{{{image.Digest}}}"},"platform":{"os":"unknown","architecture":"unknown"}}"""));
        _layout.WriteIndex(_layout.AddIndex(image, attestation));
        if (name is null)
            Assert.Equal("BuildKit.OciBlobInvalid", await FailAsync());
        else
            Assert.Equal(name, Assert.Single(Assert.Single(await ReadAsync()).Sbom).Name);
        Assert.Empty(Assert.Single(await ReadAsync(new OciImageQuery { IncludeAttestations = false })).Attestations);
    }
}
