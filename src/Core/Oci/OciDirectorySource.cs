using BuildKit.Files;

namespace BuildKit.Oci;

/// <summary>A layout directory (OCI image-spec, image-layout.md), or an index file alone.</summary>
public sealed class OciDirectorySource : OciLayoutSource
{
    internal OciDirectorySource(OciLayout layout, string location)
    {
        Layout = layout;
        Location = location;
    }

    /// <inheritdoc/>
    public override string Location { get; }

    internal OciLayout Layout { get; }

    /// <inheritdoc/>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutDenied</c>: a directory can't be read.</exception>
    public override IEnumerable<(OciDigest Digest, long Size)> ListBlobs() => OciErrors.Guard(Location, () => Layout.ListBlobs().ToList());

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal override OciIndex ReadIndex(OciIndex? known) => Layout.ReadIndex(known);

    internal override IEnumerable<(string Name, string Why)> ListUnsafe() => OciErrors.Guard(Location, () => FindUnsafe().ToList());

    internal override byte[]? ReadVersionFile()
    {
        if (!File.Exists(Layout.VersionPath))
            return null;
        // A pipe would keep its reader waiting.
        if (IsSpecialFile(Layout.VersionPath))
            return [];
        return OciErrors.Guard(Location, () =>
        {
            using var file = File.OpenHandle(Layout.VersionPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[MaxVersionBytes + 1];
            return bytes[..RandomAccess.Read(file, bytes, 0)];
        });
    }

    internal override long? SizeOf(OciDigest digest)
    {
        var file = new FileInfo(Layout.BlobPath(digest));
        return file.Exists ? file.Length : null;
    }

    internal override Stream OpenContent(OciDescriptor blob)
    {
        var path = Layout.BlobPath(blob.Digest);
        try
        {
            var file = new FileInfo(path);
            if (file.LinkTarget is not null)
                throw OciErrors.BlobUnsafe(Location, blob.Digest, "it is a link, which may lead anywhere");
            if (!file.Exists)
                throw OciErrors.BlobNotFound(Location, blob.Digest);
            if (IsSpecialFile(path))
                throw OciErrors.BlobUnsafe(Location, blob.Digest, "it is no regular file");
            if (file.Length != blob.Size)
                throw OciErrors.BlobInvalid(Location, blob, $"it has {file.Length} bytes, and its descriptor says {blob.Size}");
            var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
            return new FileRangeStream(handle, 0, blob.Size, ownsFile: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw OciErrors.BlobNotFound(Location, blob.Digest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(Location, e);
        }
    }

    private IEnumerable<(string Name, string Why)> FindUnsafe()
    {
        foreach (var name in (string[])["oci-layout", "index.json", "blobs"])
        {
            var path = Path.Combine(Layout.Path, name);
            if (new FileInfo(path).LinkTarget is { } target)
                yield return (name, $"it is a link to '{target}'");
            else if (File.Exists(path) && IsSpecialFile(path))
                yield return (name, "it is no regular file");
        }
        foreach (var algorithm in Directory.Exists(Layout.BlobsPath) ? new DirectoryInfo(Layout.BlobsPath).EnumerateDirectories() : [])
        {
            if (algorithm.LinkTarget is { } target)
                yield return ($"blobs/{algorithm.Name}", $"it is a link to '{target}'");
            foreach (var file in algorithm.EnumerateFileSystemInfos())
            {
                if (file.LinkTarget is { } other)
                    yield return ($"blobs/{algorithm.Name}/{file.Name}", $"it is a link to '{other}'");
                else if (file is not FileInfo || IsSpecialFile(file.FullName))
                    yield return ($"blobs/{algorithm.Name}/{file.Name}", "it is no regular file");
            }
        }
    }

    private static bool IsSpecialFile(string path) => !OperatingSystem.IsWindows() && UnixNative.IsSpecialFile(path);
}
