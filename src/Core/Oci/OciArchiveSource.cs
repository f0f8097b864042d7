using Microsoft.Win32.SafeHandles;

namespace BuildKit.Oci;

/// <summary>
/// A tar archive of a layout, as <c>docker buildx build -o type=oci</c>, <c>skopeo copy … oci-archive:</c> and <c>docker save</c> (since 25) write it. It is never
/// unpacked: one pass finds where the blobs lie.
/// </summary>
public sealed class OciArchiveSource : OciLayoutSource
{
    private readonly SafeFileHandle _file;
    private readonly OciTarTable _table;

    internal OciArchiveSource(string location, SafeFileHandle file, OciTarTable table)
    {
        Location = location;
        _file = file;
        _table = table;
    }

    /// <inheritdoc/>
    public override string Location { get; }

    /// <inheritdoc/>
    public override Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        if (_table.Index is not { } entry)
            throw OciErrors.NotALayout(
                Location, "it has no index.json", "Name an archive of an OCI layout. One that docker before version 25 saved has another form: load it and save it with a newer one.");
        if (entry.Size > MaxIndexBytes)
            throw OciErrors.Invalid(Location, $"its index.json has {entry.Size} bytes", $"An index has at most {MaxIndexBytes} bytes.");
        try
        {
            return Task.FromResult(OciIndex.Parse(Read(entry)));
        }
        catch (FormatException e)
        {
            throw OciErrors.Invalid(Location, $"its index.json can't be read: {e.Message}", "Have the archive written anew.", e);
        }
    }

    /// <inheritdoc/>
    public override Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken) =>
        Task.FromResult(_table.Blobs.TryGetValue(digest, out var entry) ? entry.Size : (long?)null);

    /// <inheritdoc/>
    public override IEnumerable<(OciDigest Digest, long Size)> ListBlobs() => _table.Blobs.Select(pair => (pair.Key, pair.Value.Size));

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    internal override IEnumerable<(string Name, string Why)> ListUnsafe() => _table.Unsafe;

    internal override byte[]? ReadVersionFile() => _table.Version is { Size: <= MaxVersionBytes } entry ? Read(entry) : null;

    internal override Stream OpenContent(OciDescriptor blob)
    {
        if (!_table.Blobs.TryGetValue(blob.Digest, out var entry))
            throw OciErrors.BlobNotFound(Location, blob.Digest);
        return entry.Size == blob.Size
            ? new FileRangeStream(_file, entry.DataOffset, entry.Size)
            : throw OciErrors.BlobInvalid(Location, blob, $"it has {entry.Size} bytes, and its descriptor says {blob.Size}");
    }

    private byte[] Read(OciTarEntry entry)
    {
        var bytes = new byte[entry.Size];
        using var stream = new FileRangeStream(_file, entry.DataOffset, entry.Size);
        stream.ReadExactly(bytes);
        return bytes;
    }
}
