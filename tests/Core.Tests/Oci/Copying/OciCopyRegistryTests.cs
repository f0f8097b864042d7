using System.IO.Compression;
using System.Text;
using BuildKit.Oci;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Registry;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Oci.Copying;

/// <summary>Copies to and from real registries, and one that misbehaves.</summary>
public sealed class OciCopyRegistryTests : IDisposable
{
    private readonly TestLayout _layout = new();
    private readonly TemporaryDirectory _directory = new();

    public void Dispose()
    {
        _layout.Dispose();
        _directory.Dispose();
    }

    [SkippableFact]
    public async Task A_tag_with_a_digest_is_put_where_that_is_the_images()
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        var image = _layout.AddImage(Guid.NewGuid().ToString());
        _layout.WriteIndex(image);
        var name = $"{registry.Address.Authority}/copies/{Guid.NewGuid():N}";
        Assert.Equal("BuildKit.DigestMismatch", (await Copies.FailAsync(_layout.Path, $"{name}:1@{TestLayout.Describe([1], "").Digest}")).ErrorId);
        await Copies.RunAsync(_layout.Path, $"{name}:1@{image.Digest}");
        Assert.Equal(image.Digest.ToString(), await RegistryContent.DigestAsync(registry, $"{name}:1"));
    }

    [SkippableFact]
    public async Task What_crane_pulls_into_a_file_has_the_layers_of_the_registry()
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        var name = $"{registry.Address.Authority}/copies/{Guid.NewGuid():N}:1";
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write("the content"u8);
        var layer = _layout.AddBlob(packed.ToArray(), "application/vnd.oci.image.layer.v1.tar+gzip");
        var config = _layout.AddBlob(
            $$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{OciDigest.Of("the content"u8)}}}"]},"history":[{"created_by":"{{{name}}}"}]}""", OciMediaType.Config);
        _layout.WriteIndex(_layout.AddBlob($$"""{"schemaVersion":2,"mediaType":"{{OciMediaType.Manifest}}","config":{{config}},"layers":[{{layer}}]}""", OciMediaType.Manifest));
        await Copies.RunAsync(_layout.Path, name);
        (await TestEngines.RunProgramAsync("crane", "pull", "--insecure", name, _directory["crane.tar"])).OutputOrThrow();

        await Copies.RunAsync(_directory["crane.tar"], _directory["copy"]);
        await using var source = await OciContentSources.OpenAsync(_directory["copy"], default);
        var manifest = (await OciDocument.ReadAsync(source, (await source.ReadIndexAsync(default)).Manifests[0], default)).Manifest!;
        Assert.Equal((config.Digest, layer.Digest), (manifest.Config!.Digest, manifest.Layers.Single().Digest));
        Assert.Equal(packed.ToArray(), await source.ReadBlobAsync(manifest.Layers[0], 4096, default));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Registry)]
    [InlineData(EngineKind.RegistryBasic)]
    [InlineData(EngineKind.RegistryToken)]
    public async Task An_image_goes_into_a_registry_and_back(EngineKind kind)
    {
        var registry = await TestEngines.GetAsync(kind);
        using var access = RegistryAccess.As(registry, kind == EngineKind.Registry ? null : RegistryAccount.Writer);
        var (index, amd64, _) = _layout.AddAttestedImages();
        _layout.WriteIndex(index);
        var name = $"{registry.Address.Authority}/copies/{Guid.NewGuid():N}";

        var pushed = await Copies.RunAsync(_layout.Path, $"{name}:1", access: access);
        Assert.Equal((index.Digest.ToString(), 8), (pushed.Digest, pushed.BlobsCopied));
        Assert.Equal(index.Digest.ToString(), await RegistryContent.DigestAsync(registry, $"{name}:1"));
        var again = await Copies.RunAsync(_layout.Path, $"{name}:2", access: access);
        Assert.Equal((0, 8), (again.BlobsCopied, again.BlobsSkipped));
        var mounted = await Copies.RunAsync($"{name}:1", $"{name}-other:1", access: access);
        Assert.Equal((0, 0, 8), (mounted.BlobsCopied, mounted.BlobsSkipped, mounted.BlobsMounted));
        Assert.Equal(index.Digest.ToString(), await RegistryContent.DigestAsync(registry, $"{name}-other:1"));

        var pulled = await Copies.RunAsync($"{name}-other:1", _directory["copy"], access: access);
        Assert.Equal((index.Digest.ToString(), 8), (pulled.Digest, pulled.BlobsCopied));
        Assert.Equal($"{name}-other:1", Assert.Single(await OciIndexReader.ListAsync(_directory["copy"], false, default)).ImageName);
        var one = await Copies.RunAsync($"{name}@{index.Digest}", _directory["one"], options => options with { Platforms = ["linux/amd64"], NoAttestation = true }, access);
        Assert.Equal(amd64.Digest.ToString(), one.Digest);
    }

    [SkippableFact]
    public async Task Crane_and_skopeo_take_what_is_copied()
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        var (index, _, arm64) = _layout.AddAttestedImages();
        _layout.WriteIndex(index);
        var name = $"{registry.Address.Authority}/copies/{Guid.NewGuid():N}:1";
        await Copies.RunAsync(_layout.Path, name);
        Assert.Equal(index.Digest.ToString(), (await TestEngines.RunProgramAsync("crane", ["digest", name])).OutputOrThrow());
        Assert.Equal(arm64.Digest.ToString(), (await TestEngines.RunProgramAsync("crane", ["digest", "--platform", "linux/arm64", name])).OutputOrThrow());
        (await TestEngines.RunProgramAsync(
            "skopeo", ["--insecure-policy", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", $"docker://{name}", $"oci:{_directory["skopeo"]}:1"])).OutputOrThrow();
        Assert.Equal(index.Digest.ToString(), Assert.Single(await OciIndexReader.ListAsync(_directory["skopeo"], false, default)).Digest);

        await Copies.RunAsync(name, $"oci-archive:{_directory["archive.tar"]}:1", options => options with { Platforms = ["linux/arm64"], NoAttestation = true });
        Assert.Contains("\"Architecture\": \"arm64\"", (await TestEngines.RunProgramAsync("skopeo", ["inspect", $"oci-archive:{_directory["archive.tar"]}:1"])).OutputOrThrow(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_refers_to_an_image_is_found_by_the_tag_of_old_registries()
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        var image = _layout.AddImage("the content " + Guid.NewGuid());
        var signature = _layout.AddImage("a signature", subject: image);
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/app:1"), signature);
        var name = $"{registry.Address.Authority}/copies/{Guid.NewGuid():N}";
        await Copies.RunAsync(_layout.Path, $"{name}:1", options => options with { IncludeReferrers = true });
        Assert.Contains(signature.Digest.ToString(), Encoding.UTF8.GetString(await RegistryContent.ManifestAsync(registry, $"{name}:sha256-{image.Digest.Hex}")), StringComparison.Ordinal);

        var back = await Copies.RunAsync($"{name}:1", _directory["copy"], options => options with { IncludeReferrers = true });
        Assert.Equal((1, image.Digest.ToString()), (back.Referrers, back.Digest));
        Assert.Equal([image.Digest.ToString(), signature.Digest.ToString()], (await OciIndexReader.ListAsync(_directory["copy"], false, default)).Select(entry => entry.Digest));
    }

    [Fact]
    public async Task What_refers_to_an_image_is_listed_by_a_registry_that_can()
    {
        await using var registry = new HostileRegistry { ListsReferrers = true };
        var image = _layout.AddImage("the content");
        var signature = _layout.AddImage("a signature", subject: image);
        var onSignature = _layout.AddImage("a signature of the signature", subject: signature);
        _layout.WriteIndex(TestLayout.Named(image, "docker.io/library/app:1"), signature, onSignature);
        Assert.Equal(2, (await Copies.RunAsync(_layout.Path, $"{registry.Authority}/app:1", options => options with { IncludeReferrers = true })).Referrers);
        Assert.Equal(
            new[] { image, signature, onSignature }.Select(manifest => manifest.Digest.ToString()).Append("1").Order(), registry.Manifests.Keys.Order());

        var back = await Copies.RunAsync($"{registry.Authority}/app:1", _directory["copy"], options => options with { IncludeReferrers = true });
        Assert.Equal((2, image.Digest.ToString()), (back.Referrers, back.Digest));
        Assert.Equal(3, (await OciIndexReader.ListAsync(_directory["copy"], false, default)).Count);
    }

    [SkippableFact]
    public async Task Who_may_only_read_leaves_nothing_behind()
    {
        var registry = await TestEngines.GetAsync(EngineKind.RegistryToken);
        _layout.WriteIndex(_layout.AddImage("the content " + Guid.NewGuid()));
        using var access = RegistryAccess.As(registry, RegistryAccount.Reader);
        var name = $"{registry.Address.Authority}/copies/{Guid.NewGuid():N}:1";
        Assert.Equal("BuildKit.RegistryDenied", (await Copies.FailAsync(_layout.Path, name, access: access)).ErrorId);
        Assert.Equal("BuildKit.ManifestNotFound", (await Copies.FailAsync(name, _directory["copy"], access: access)).ErrorId);
    }

    [SkippableFact]
    public async Task A_digest_can_be_asked_for_but_not_chosen()
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        var image = _layout.AddImage("the content " + Guid.NewGuid());
        _layout.WriteIndex(image);
        var name = $"{registry.Address.Authority}/copies/{Guid.NewGuid():N}";
        Assert.Equal("BuildKit.DigestMismatch", (await Copies.FailAsync(_layout.Path, $"{name}@sha256:{new string('0', 64)}")).ErrorId);
        Assert.Equal(image.Digest.ToString(), (await Copies.RunAsync(_layout.Path, $"{name}@{image.Digest}")).Digest);
        Assert.Equal(image.Digest.ToString(), (await Copies.RunAsync($"{name}@{image.Digest}", _directory["copy"])).Digest);
    }

    [Fact]
    public async Task A_damaged_blob_of_a_layout_is_told_from_a_damaged_way()
    {
        await using var registry = new HostileRegistry();
        _layout.WriteIndex(_layout.AddImage("the content"));
        var layer = Directory.GetFiles(_layout["blobs/sha256"]).Single(path => File.ReadAllText(path) == "the content");
        File.WriteAllText(layer, "the c0ntent");
        var error = await Copies.FailAsync(_layout.Path, $"{registry.Authority}/app:1");
        Assert.Equal("BuildKit.OciBlobInvalid", error.ErrorId);
        Assert.Contains(_layout.Path, error.Message, StringComparison.Ordinal);

        File.WriteAllText(layer, "the content");
        registry.Refuse = request => request is { Method: "PUT", Body.Length: > 0 } && request.Path.Contains("/uploads/", StringComparison.Ordinal)
            ? HostileRegistry.Answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            : null;
        error = await Copies.FailAsync(_layout.Path, $"{registry.Authority}/app:1");
        Assert.Equal("BuildKit.RegistryFailed", error.ErrorId);
        Assert.Contains("did not match", error.Message, StringComparison.Ordinal);
        Assert.Empty(registry.Manifests);
    }

    [Fact]
    public async Task The_tag_comes_last_and_only_when_all_is_there()
    {
        await using var registry = new HostileRegistry();
        var (index, _, _) = _layout.AddAttestedImages();
        _layout.WriteIndex(index);
        await Copies.RunAsync(_layout.Path, $"{registry.Authority}/app:1");
        var puts = registry.Requests.Where(request => request.Method == "PUT").Select(request => request.Path.Split('/')[^1]).ToList();
        Assert.Equal("1", puts[^1]);
        Assert.Equal(4, puts.Count(name => name.StartsWith("sha256:", StringComparison.Ordinal)));
        Assert.All(puts[^5..^1], name => Assert.StartsWith("sha256:", name, StringComparison.Ordinal));

        registry.Refuse = request => request.Method == "PUT" && request.Path.Contains("/manifests/sha256:", StringComparison.Ordinal) ? HostileRegistry.Answer.Error(400, "X", "no") : null;
        await Copies.FailAsync(_layout.Path, $"{registry.Authority}/app:2");
        Assert.False(registry.Manifests.ContainsKey("2"));
    }

    [Fact]
    public async Task Cuts_at_random_bytes_end_in_the_same_image_in_a_layout()
    {
        var seed = Random.Shared.Next();
        var problem = await Record.ExceptionAsync(() => CopyThroughCutsAsync(new Random(seed)));
        Assert.True(problem is null, $"seed {seed}: {problem}");
    }

    private async Task CopyThroughCutsAsync(Random random)
    {
        await using var registry = new HostileRegistry();
        var (index, _, _) = _layout.AddAttestedImages();
        _layout.WriteIndex(index);
        await Copies.RunAsync(_layout.Path, $"{registry.Authority}/app:1");
        registry.Misbehave = (_, answer) =>
        {
            lock (random)
                return answer with { CutAfter = random.Next(2 * (200 + answer.Body.Length)) };
        };
        using var access = RegistryAccess.As(registry.Authority, null, options => options with { Attempts = 40, RetryDelay = TimeSpan.FromMilliseconds(1) });
        var pulled = await Copies.RunAsync($"{registry.Authority}/app:1", _directory["copy"], access: access);
        Assert.Equal(index.Digest.ToString(), pulled.Digest);
        registry.Blobs.Clear();
        registry.Manifests.Clear();
        await Copies.RunAsync(_directory["copy"], $"{registry.Authority}/app:1", access: access);
        Assert.Equal(index.Digest.ToString(), HostileRegistry.DigestOf(registry.Manifests["1"].Content));
        Assert.Equal(8, registry.Blobs.Count);
    }
}
