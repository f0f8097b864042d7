namespace BuildKit.Oci;

/// <summary>A layout that lies in the file system: a directory, or an archive.</summary>
public abstract class OciLayoutSource : OciContentSource
{
    /// <summary>How many bytes of an <c>index.json</c> are read: more than half a million entries.</summary>
    internal const int MaxIndexBytes = 256 << 20;

    /// <summary>How many bytes an <c>oci-layout</c> file has at most.</summary>
    internal const int MaxVersionBytes = 4096;

    /// <inheritdoc/>
    public override Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken) => Task.FromResult(ReadIndex(null));

    /// <summary>Every blob there is, whether anything refers to it or not.</summary>
    /// <returns>The blobs with their sizes in bytes, in no order.</returns>
    public abstract IEnumerable<(OciDigest Digest, long Size)> ListBlobs();

    /// <summary>Reads the index.</summary>
    /// <param name="known">One that was read before, which is returned where the file is still the same; or null.</param>
    internal abstract OciIndex ReadIndex(OciIndex? known);

    /// <summary>What lies in it and leads out of it, or could: names, and why.</summary>
    internal abstract IEnumerable<(string Name, string Why)> ListUnsafe();

    /// <summary>The bytes of the file <c>oci-layout</c>, one more than <see cref="MaxVersionBytes"/> at most; none of what is no regular file; null where nothing is there.</summary>
    internal abstract byte[]? ReadVersionFile();

    /// <summary>The size of a blob, or null where it is missing.</summary>
    internal abstract long? SizeOf(OciDigest digest);

    /// <summary>Opens a blob to read it at once; a stream whose reads block.</summary>
    internal abstract Stream OpenContent(OciDescriptor blob);

    /// <inheritdoc/>
    public override Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken) => Task.FromResult(SizeOf(digest));

    /// <inheritdoc/>
    protected override Task<Stream> OpenContentAsync(OciDescriptor blob, CancellationToken cancellationToken) => Task.FromResult(OpenContent(blob));
}
