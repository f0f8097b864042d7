using BuildKit.Session.FileSend;

namespace BuildKit.Oci;

/// <summary>A layout directory (OCI image-spec, image-layout.md), or an index file alone.</summary>
public sealed class OciDirectorySource : OciLayoutSource
{
    private readonly OciLayout _layout;

    internal OciDirectorySource(OciLayout layout, string location)
    {
        _layout = layout;
        Location = location;
    }

    /// <inheritdoc/>
    public override string Location { get; }

    /// <inheritdoc/>
    public override Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken) => Task.FromResult(_layout.ReadIndex());

    /// <inheritdoc/>
    public override Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken)
    {
        var file = new FileInfo(_layout.BlobPath(digest));
        return Task.FromResult(file.Exists ? file.Length : (long?)null);
    }

    /// <inheritdoc/>
    public override IEnumerable<(OciDigest Digest, long Size)> ListBlobs() => _layout.ListBlobs();

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal override IEnumerable<(string Name, string Why)> ListUnsafe()
    {
        foreach (var name in (string[])["oci-layout", "index.json", "blobs"])
            if (new FileInfo(Path.Combine(_layout.Path, name)).LinkTarget is { } target)
                yield return (name, $"it is a link to '{target}'");
        foreach (var algorithm in Directory.Exists(_layout.BlobsPath) ? new DirectoryInfo(_layout.BlobsPath).EnumerateDirectories() : [])
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
        var file = new FileInfo(_layout.VersionPath);
        return file is { Exists: true, Length: <= MaxVersionBytes } ? File.ReadAllBytes(file.FullName) : null;
    }

    internal override Stream OpenContent(OciDescriptor blob)
    {
        var path = _layout.BlobPath(blob.Digest);
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
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
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
