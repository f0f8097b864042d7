using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Oci.Copying;

/// <summary>
/// An archive as <c>docker save</c> wrote it before version 25 (moby image/tarexport): <c>manifest.json</c>, configurations and the tars of layers. It has no manifests of the OCI; they are
/// made here. Configurations and layers stay as they are, so that the image's id does.
/// </summary>
internal sealed class DockerArchiveSource : OciLayoutSource
{
    public const string ManifestName = "manifest.json";

    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";

    // As 'docker load' takes them; what is compressed in another way has no media type.
    private static readonly (byte[] Magic, string MediaType)[] CompressedLayers = [([0x1F, 0x8B], LayerType + "+gzip"), ([0x28, 0xB5, 0x2F, 0xFD], LayerType + "+zstd")];

    private const int MaxManifestBytes = 16 << 20;
    private const int BufferSize = 1 << 18;

    private readonly OciArchiveSource _archive;
    private readonly List<OciDescriptor> _manifests = [];
    private readonly Dictionary<OciDigest, OciTarEntry> _entries = [];
    private readonly Dictionary<OciDigest, byte[]> _made = [];
    private readonly Dictionary<long, OciDescriptor> _compressed = [];

    private DockerArchiveSource(OciArchiveSource archive) => _archive = archive;

    public override string Location => _archive.Location;

    /// <summary>Opens an archive or a layout, whatever wrote it.</summary>
    /// <exception cref="BuildKitException">Those of <see cref="OciContentSources.OpenAsync"/>, and <c>BuildKit.OciArchiveInvalid</c>.</exception>
    public static async Task<OciLayoutSource> OpenAnyAsync(string path, CancellationToken cancellationToken) =>
        await OpenAnyAsync(await OciContentSources.OpenAsync(path, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>What an open source really is. It is disposed with what is returned, or where this fails.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciArchiveInvalid</c>.</exception>
    public static async Task<OciLayoutSource> OpenAnyAsync(OciLayoutSource source, CancellationToken cancellationToken)
    {
        if (source is not OciArchiveSource { Table.Index: null } archive || !archive.Table.Files.ContainsKey(ManifestName))
            return source;
        try
        {
            var docker = new DockerArchiveSource(archive);
            docker.ReadImages(cancellationToken);
            return docker;
        }
        catch
        {
            await archive.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public override IEnumerable<(OciDigest Digest, long Size)> ListBlobs() =>
        _made.Select(pair => (pair.Key, (long)pair.Value.Length)).Concat(_entries.Select(pair => (pair.Key, pair.Value.Size)));

    public override ValueTask DisposeAsync() => _archive.DisposeAsync();

    internal override OciIndex ReadIndex(OciIndex? known)
    {
        var index = OciIndex.CreateEmpty();
        index.Replace(_manifests);
        return index;
    }

    internal override IEnumerable<(string Name, string Why)> ListUnsafe() => _archive.ListUnsafe();

    internal override byte[]? ReadVersionFile() => null;

    internal override long? SizeOf(OciDigest digest) =>
        _made.TryGetValue(digest, out var bytes) ? bytes.Length : _entries.TryGetValue(digest, out var entry) ? entry.Size : null;

    internal override Stream OpenContent(OciDescriptor blob)
    {
        if (_made.TryGetValue(blob.Digest, out var bytes))
            return new MemoryStream(bytes, writable: false);
        return _entries.TryGetValue(blob.Digest, out var entry) ? _archive.OpenRange(entry.DataOffset, entry.Size) : throw OciErrors.BlobNotFound(Location, blob.Digest);
    }

    private void ReadImages(CancellationToken cancellationToken)
    {
        try
        {
            using var json = JsonDocument.Parse(ReadSmall(ManifestName));
            foreach (var image in json.RootElement.EnumerateArray())
            {
                cancellationToken.ThrowIfCancellationRequested();
                AddImage(image, cancellationToken);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw OciErrors.ArchiveInvalid(Location, $"its {ManifestName} is not what 'docker save' writes: {e.Message}", e);
        }
    }

    private void AddImage(JsonElement image, CancellationToken cancellationToken)
    {
        var config = ReadSmall(image.GetProperty("Config").GetString()!);
        var configDescriptor = Make(OciMediaType.Config, config);
        using var configJson = JsonDocument.Parse(config);
        var diffIds = configJson.RootElement.GetProperty("rootfs").TryGetProperty("diff_ids", out var ids) ? ids.EnumerateArray().Select(id => OciDigest.Parse(id.GetString()!)).ToList() : [];
        var files = image.GetProperty("Layers").EnumerateArray().Select(layer => layer.GetString()!).ToList();
        if (files.Count != diffIds.Count)
            throw new FormatException($"it lists {files.Count} layers, and the configuration {diffIds.Count}");
        var layers = new JsonArray();
        for (var i = 0; i < files.Count; i++)
        {
            var entry = Find(files[i]);
            // Not compressed, a layer has the digest that the configuration tells; where it is not that, reading it will find out.
            var layer = FindCompressed(entry, cancellationToken) ?? OciDescriptor.Create(LayerType, diffIds[i], entry.Size);
            _entries[layer.Digest] = entry;
            layers.Add(Json(layer));
        }
        var manifest = Make(OciMediaType.Manifest, OciJson.ToBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = OciMediaType.Manifest,
            ["config"] = Json(configDescriptor),
            ["layers"] = layers,
        }));
        var names = image.TryGetProperty("RepoTags", out var tags) && tags.ValueKind == JsonValueKind.Array
            ? tags.EnumerateArray().Select(tag => OciImageName.FromImage(Docker.ImageReference.Normalize(tag.GetString()!))).ToList()
            : [];
        if (names.Count == 0)
            _manifests.Add(manifest);
        foreach (var name in names)
            _manifests.Add(manifest.With(name.ImageName, name.RefName));
    }

    /// <summary>A layer that is compressed, as <c>crane pull</c> writes it. Its digest is told nowhere but in the name of the file, if there, so that it is read for it.</summary>
    private OciDescriptor? FindCompressed(OciTarEntry entry, CancellationToken cancellationToken)
    {
        if (_compressed.TryGetValue(entry.DataOffset, out var known))
            return known;
        using var stream = _archive.OpenRange(entry.DataOffset, entry.Size);
        var buffer = new byte[BufferSize];
        var count = stream.ReadAtLeast(buffer, 4, throwOnEndOfStream: false);
        if (Array.Find(CompressedLayers, row => buffer.AsSpan(0, count).StartsWith(row.Magic)) is not { MediaType: not null } form)
            return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (; count > 0; count = stream.Read(buffer))
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }
        return _compressed[entry.DataOffset] = OciDescriptor.Create(form.MediaType, OciDigest.FromHash(HashAlgorithmName.SHA256, hash.GetHashAndReset()), entry.Size);
    }

    private OciDescriptor Make(string mediaType, byte[] content)
    {
        var digest = OciDigest.Of(content);
        _made[digest] = content;
        return OciDescriptor.Create(mediaType, digest, content.Length);
    }

    private static JsonNode Json(OciDescriptor descriptor) => JsonNode.Parse(descriptor.ToString())!;

    private byte[] ReadSmall(string name)
    {
        var entry = Find(name);
        if (entry.Size > MaxManifestBytes)
            throw new FormatException($"'{name}' has {entry.Size} bytes");
        var bytes = new byte[entry.Size];
        using var stream = _archive.OpenRange(entry.DataOffset, entry.Size);
        stream.ReadExactly(bytes);
        return bytes;
    }

    // A layer that several images share is there once, with links to it.
    private OciTarEntry Find(string name)
    {
        for (var links = 0; links < 8; links++)
        {
            if (_archive.Table.Files.TryGetValue(name, out var entry) || (OciLayout.TryReadBlobName(name, out var digest) && _archive.Table.Blobs.TryGetValue(digest, out entry)))
                return entry;
            if (!_archive.Table.Links.TryGetValue(name, out var target))
                break;
            var parts = new List<string>(name.Split('/')[..^1]);
            foreach (var part in target.Split('/'))
            {
                if (part == ".." && parts.Count > 0)
                    parts.RemoveAt(parts.Count - 1);
                else if (part is not ("." or ".."))
                    parts.Add(part);
            }
            name = string.Join('/', parts);
        }
        throw new FormatException($"it names '{name}', which the archive does not have");
    }
}
