using BuildKit.Session.FileSend;

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
    public override IEnumerable<(OciDigest Digest, long Size)> ListBlobs() => Layout.ListBlobs();

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal override OciIndex ReadIndex(OciIndex? known) => Layout.ReadIndex(known);

    internal override IEnumerable<(string Name, string Why)> ListUnsafe()
    {
        foreach (var name in (string[])["oci-layout", "index.json", "blobs"])
            if (new FileInfo(Path.Combine(Layout.Path, name)).LinkTarget is { } target)
                yield return (name, $"it is a link to '{target}'");
        foreach (var algorithm in Directory.Exists(Layout.BlobsPath) ? new DirectoryInfo(Layout.BlobsPath).EnumerateDirectories() : [])
        {
            if (algorithm.LinkTarget is { } target)
                yield return ($"blobs/{algorithm.Name}", $"it is a link to '{target}'");
            foreach (var file in algorithm.EnumerateFileSystemInfos())
            {
                if (file.LinkTarget is { } other)
                    yield return ($"blobs/{algorithm.Name}/{file.Name}", $"it is a link to '{other}'");
                else if (file is not FileInfo || (!OperatingSystem.IsWindows() && UnixNative.IsSpecialFile(file.FullName)))
                    yield return ($"blobs/{algorithm.Name}/{file.Name}", "it is no regular file");
            }
        }
    }

    internal override byte[]? ReadVersionFile()
    {
        var file = new FileInfo(Layout.VersionPath);
        return file is { Exists: true, Length: <= MaxVersionBytes } ? File.ReadAllBytes(file.FullName) : null;
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
            if (!OperatingSystem.IsWindows() && UnixNative.IsSpecialFile(path))
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
}
