using Microsoft.Win32.SafeHandles;

namespace BuildKit.Oci;

/// <summary>
/// A tar archive of a layout, as <c>docker buildx build -o type=oci</c>, <c>skopeo copy … oci-archive:</c> and <c>docker save</c> (since 25) write it. It is never
/// unpacked: one pass finds where the blobs lie.
/// </summary>
public sealed class OciArchiveSource : OciLayoutSource
{
    private readonly SafeFileHandle _file;
    private readonly (long Length, DateTime Modified)? _state;

    internal OciArchiveSource(string location, SafeFileHandle file, bool isCompressed, CancellationToken cancellationToken)
    {
        Location = location;
        _file = file;
        IsCompressed = isCompressed;
        _state = StateOf(location);
        Table = OciTarTable.Read(location, file, cancellationToken);
    }

    /// <summary>Where everything lies.</summary>
    internal OciTarTable Table { get; }

    /// <summary>Whether the archive is compressed, and what is read is its expanded copy.</summary>
    internal bool IsCompressed { get; }

    /// <inheritdoc/>
    public override string Location { get; }

    /// <inheritdoc/>
    public override IEnumerable<(OciDigest Digest, long Size)> ListBlobs() => Table.Blobs.Select(pair => (pair.Key, pair.Value.Size));

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    internal override OciIndex ReadIndex(OciIndex? known)
    {
        if (Table.Index is not { } entry)
            throw OciErrors.NotALayout(
                Location, "it has no index.json", "Name an archive of an OCI layout. One that docker before version 25 saved has another form: load it and save it with a newer one.");
        if (entry.Size > MaxIndexBytes)
            throw OciErrors.Invalid(Location, $"its index.json has {entry.Size} bytes", $"An index has at most {MaxIndexBytes} bytes.");
        try
        {
            var bytes = Read(entry);
            return known is not null && known.Document.Span.SequenceEqual(bytes) ? known : OciIndex.Parse(bytes);
        }
        catch (FormatException e)
        {
            throw OciErrors.Invalid(Location, $"its index.json can't be read: {e.Message}", "Have the archive written anew.", e);
        }
    }

    internal override IEnumerable<(string Name, string Why)> ListUnsafe() => Table.Unsafe;

    internal override byte[]? ReadVersionFile() => Table.Version is { } entry ? Read(entry with { Size = Math.Min(entry.Size, MaxVersionBytes + 1) }) : null;

    internal override long? SizeOf(OciDigest digest) => Table.Blobs.TryGetValue(digest, out var entry) ? entry.Size : null;

    internal override Stream OpenContent(OciDescriptor blob)
    {
        if (!Table.Blobs.TryGetValue(blob.Digest, out var entry))
            throw OciErrors.BlobNotFound(Location, blob.Digest);
        return entry.Size == blob.Size
            ? OpenRange(entry.DataOffset, entry.Size)
            : throw OciErrors.BlobInvalid(Location, blob, $"it has {entry.Size} bytes, and its descriptor says {blob.Size}");
    }

    /// <summary>A part of the archive as it is.</summary>
    internal FileRangeStream OpenRange(long offset, long length) => new(_file, offset, length);

    /// <summary>The header that an entry's content follows.</summary>
    internal byte[] ReadHeader(OciTarEntry entry) => Read(entry with { DataOffset = entry.DataOffset - OciTarTable.BlockSize, Size = OciTarTable.BlockSize });

    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutChanged</c>: the file at the path is another one than when the source was opened.</exception>
    internal void DemandUnchanged(string path)
    {
        if (StateOf(path) != _state)
            throw OciErrors.Changed(Location);
    }

    // What has no name can't be changed by others.
    private static (long Length, DateTime Modified)? StateOf(string path)
    {
        if (!File.Exists(path))
            return null;
        var file = new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);
        return (file.Length, file.LastWriteTimeUtc);
    }

    private byte[] Read(OciTarEntry entry)
    {
        var bytes = new byte[entry.Size];
        using var stream = OpenRange(entry.DataOffset, entry.Size);
        stream.ReadExactly(bytes);
        return bytes;
    }
}
