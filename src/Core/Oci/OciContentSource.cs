namespace BuildKit.Oci;

/// <summary>
/// Where images are read from: a layout directory, an archive of one, or anything else that has an index and blobs. Several blobs may be read at the same time.
/// </summary>
public abstract class OciContentSource : IAsyncDisposable
{
    private ILookup<OciDigest, OciDescriptor>? _subjects;

    /// <summary>What a person calls it: the path.</summary>
    public abstract string Location { get; }

    /// <summary>The registry's host and the repository; null for what is no registry.</summary>
    internal virtual string? Repository => null;

    /// <summary>The path of a layout or an archive; null for a registry.</summary>
    internal string? LayoutPath => Repository is null ? Location : null;

    /// <summary>Reads the index that everything else is reached from.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The index.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutInvalid</c>: it is missing, or no index.</exception>
    public abstract Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken);

    /// <summary>Tells whether there is a blob. Its content is not looked at.</summary>
    /// <param name="digest">The blob.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Its size in bytes, or null where it is missing.</returns>
    public abstract Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a blob. What is read is checked while it is read: the read that would return the last bytes fails with <c>BuildKit.OciBlobInvalid</c> where size or
    /// digest are not those of the descriptor, so that nobody ever has a wrong blob to its end.
    /// </summary>
    /// <param name="blob">The blob.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>A stream to read forward; the caller disposes it.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.OciBlobNotFound</c>, <c>BuildKit.OciBlobInvalid</c> (the size shows it already), <c>BuildKit.OciUnsafePath</c>.</exception>
    public async Task<Stream> OpenBlobAsync(OciDescriptor blob, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return new OciVerifyingStream(await OpenContentAsync(blob, cancellationToken).ConfigureAwait(false), blob, Location);
    }

    /// <summary>Reads a small blob, such as a manifest, and checks it.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="maxBytes">How many bytes at most are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Its bytes.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.OciBlobTooLarge</c>, and those of <see cref="OpenBlobAsync"/>.</exception>
    public async Task<byte[]> ReadBlobAsync(OciDescriptor blob, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blob);
        if (blob.Size > maxBytes)
            throw OciErrors.BlobTooLarge(Location, blob, maxBytes);
        var stream = await OpenBlobAsync(blob, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var bytes = new byte[blob.Size];
            await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            // An empty blob is checked by the read that finds its end.
            _ = await stream.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false);
            return bytes;
        }
    }

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>What leads to exactly one manifest in here, wherever a reference is taken.</summary>
    internal string ReferenceTo(OciDigest digest) => Repository is null ? new OciLayoutReference(Location, null, digest.ToString()).ToString() : $"{Repository}@{digest}";

    /// <summary>The manifests that have a manifest for their subject. In a layout, they are listed in its index.</summary>
    /// <param name="subject">The manifest.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Their descriptors.</returns>
    internal virtual async Task<IReadOnlyList<OciDescriptor>> FindReferrersAsync(OciDigest subject, CancellationToken cancellationToken)
    {
        _subjects ??= await ReadSubjectsAsync(cancellationToken).ConfigureAwait(false);
        return _subjects[subject].ToList();
    }

    private async Task<ILookup<OciDigest, OciDescriptor>> ReadSubjectsAsync(CancellationToken cancellationToken)
    {
        var found = new List<(OciDigest Subject, OciDescriptor Manifest)>();
        foreach (var manifest in (await ReadIndexAsync(cancellationToken).ConfigureAwait(false)).Manifests.DistinctBy(manifest => manifest.Digest))
        {
            if (await OciDocument.FindSubjectAsync(this, manifest, cancellationToken).ConfigureAwait(false) is { } subject)
                found.Add((subject, manifest));
        }
        return found.ToLookup(item => item.Subject, item => item.Manifest);
    }

    /// <summary>Where a blob really is, where this stands for several places.</summary>
    internal virtual OciContentSource SourceOf(OciDigest digest) => this;

    /// <summary>Opens a blob without checking it.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>A stream to read forward.</returns>
    protected abstract Task<Stream> OpenContentAsync(OciDescriptor blob, CancellationToken cancellationToken);
}
