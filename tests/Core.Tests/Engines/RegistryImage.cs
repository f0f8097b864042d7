using System.Formats.Tar;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace BuildKit.Tests.Engines;

/// <summary>A small image in a test registry without credentials, of layers that no other image has. Its blobs can be damaged where the registry keeps them.</summary>
internal sealed record RegistryImage(TestEngine Registry, string Repository, string Tag, string Digest, string Config, IReadOnlyList<string> Layers)
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string IndexType = "application/vnd.oci.image.index.v1+json";

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>What an Engine calls it.</summary>
    public string Name => $"{Registry.Address.Authority}/{Repository}:{Tag}";

    /// <summary>The same by its digest.</summary>
    public string NameByDigest => $"{Registry.Address.Authority}/{Repository}@{Digest}";

    /// <summary>Pushes an image for one platform.</summary>
    /// <param name="registry">A registry without credentials.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="platform">Such as <c>linux/arm64</c>.</param>
    /// <param name="below">An image whose layers come first; or null.</param>
    public static async Task<RegistryImage> PushAsync(TestEngine registry, string repository, string tag, string platform = "linux/amd64", RegistryImage? below = null)
    {
        var (layer, diffId) = Layer();
        var diffIds = new List<string>();
        var layers = new List<(string Digest, long Size)>();
        if (below is not null)
        {
            using var config = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(below.BlobPath(below.Config)));
            diffIds.AddRange(config.RootElement.GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray().Select(id => id.GetString()!));
            layers.AddRange(below.Layers.Select(digest => (digest, new FileInfo(below.BlobPath(digest)).Length)));
        }
        diffIds.Add(diffId);
        layers.Add((await PushBlobAsync(registry, repository, layer), layer.Length));
        var parts = platform.Split('/');
        var configJson = Encoding.UTF8.GetBytes(
            $$$"""{"os":"{{{parts[0]}}}","architecture":"{{{parts[1]}}}","config":{"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["{{{string.Join("\",\"", diffIds)}}}"]}}""");
        var configDigest = await PushBlobAsync(registry, repository, configJson);
        var layersJson = string.Join(',', layers.Select(each => $$"""{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{each.Digest}}","size":{{each.Size}}}"""));
        var manifest = $$"""{"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{configDigest}}","size":{{configJson.Length}}},"layers":[{{layersJson}}]}""";
        var digest = await PutManifestAsync(registry, repository, tag, ManifestType, manifest);
        return new RegistryImage(registry, repository, tag, digest, configDigest, layers.Select(each => each.Digest).ToList());
    }

    /// <summary>Pushes an index of images of the same repository.</summary>
    /// <returns>Its digest.</returns>
    public static Task<string> PushIndexAsync(TestEngine registry, string repository, string tag, params (RegistryImage Image, string Platform)[] images)
    {
        var manifests = images.Select(each =>
        {
            var size = new FileInfo(each.Image.BlobPath(each.Image.Digest)).Length;
            var parts = each.Platform.Split('/');
            return $$$"""{"mediaType":"{{{ManifestType}}}","digest":"{{{each.Image.Digest}}}","size":{{{size}}},"platform":{"os":"{{{parts[0]}}}","architecture":"{{{parts[1]}}}"}}""";
        });
        return PutManifestAsync(registry, repository, tag, IndexType, $$"""{"schemaVersion":2,"mediaType":"{{IndexType}}","manifests":[{{string.Join(',', manifests)}}]}""");
    }

    /// <summary>Where the registry keeps a blob.</summary>
    public string BlobPath(string digest)
    {
        var hex = digest["sha256:".Length..];
        return Path.Combine(Registry.Folder, "data/docker/registry/v2/blobs/sha256", hex[..2], hex, "data");
    }

    private static (byte[] Gzip, string DiffId) Layer()
    {
        var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Pax, leaveOpen: true))
        {
            var content = new MemoryStream(RandomNumberGenerator.GetBytes(100_000));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"file-{Guid.NewGuid():N}") { DataStream = content });
        }
        var gzip = new MemoryStream();
        using (var compressor = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true))
            compressor.Write(tar.ToArray());
        return (gzip.ToArray(), DigestOf(tar.ToArray()));
    }

    private static async Task<string> PushBlobAsync(TestEngine registry, string repository, byte[] content)
    {
        var digest = DigestOf(content);
        using var started = await Http.PostAsync(new Uri(registry.Address, $"/v2/{repository}/blobs/uploads/"), null);
        var location = new Uri(registry.Address, started.EnsureSuccessStatusCode().Headers.Location!);
        using var body = new ByteArrayContent(content);
        using var put = await Http.PutAsync(new Uri($"{location}{(location.Query.Length > 0 ? '&' : '?')}digest={digest}"), body);
        put.EnsureSuccessStatusCode();
        return digest;
    }

    private static async Task<string> PutManifestAsync(TestEngine registry, string repository, string tag, string mediaType, string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        using var body = new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };
        using var put = await Http.PutAsync(new Uri(registry.Address, $"/v2/{repository}/manifests/{tag}"), body);
        put.EnsureSuccessStatusCode();
        return DigestOf(bytes);
    }

    private static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexString(SHA256.HashData(content)).ToLowerInvariant();
}
