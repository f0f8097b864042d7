using BuildKit.Oci.Copying;

namespace BuildKit.Oci.Merging;

/// <summary>An index that was made, and behind it the places that have what it lists.</summary>
/// <param name="index">The index.</param>
/// <param name="content">Its bytes.</param>
/// <param name="entries">What it lists.</param>
internal sealed class OciMergedContent(OciDescriptor index, byte[] content, IReadOnlyList<OciMergeEntry> entries) : OciContentSource
{
    private readonly Dictionary<OciDigest, byte[]> _documents = new() { [index.Digest] = content };
    private readonly Dictionary<OciDigest, OciContentSource> _sources = entries.ToDictionary(entry => entry.Entry.Digest, entry => entry.Source);

    public override string Location => string.Join(", ", _sources.Values.Select(source => source.Location).Distinct());

    public override Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        var all = OciIndex.CreateEmpty();
        all.Replace([index]);
        return Task.FromResult(all);
    }

    public override async Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken) =>
        digest == index.Digest ? content.Length
        : _sources.TryGetValue(digest, out var source) ? await source.FindBlobAsync(digest, cancellationToken).ConfigureAwait(false) : null;

    // The sources stay whose they are.
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal override OciContentSource SourceOf(OciDigest digest) => _sources.GetValueOrDefault(digest, this);

    protected override async Task<Stream> OpenContentAsync(OciDescriptor blob, CancellationToken cancellationToken)
    {
        if (_documents.TryGetValue(blob.Digest, out var known))
            return new MemoryStream(known, writable: false);
        if (!_sources.TryGetValue(blob.Digest, out var source))
            throw OciErrors.BlobNotFound(Location, blob.Digest);
        if (OciMediaType.KindOf(blob.MediaType) is not (OciBlobKind.Index or OciBlobKind.Manifest))
            return await source.OpenBlobAsync(blob, cancellationToken).ConfigureAwait(false);
        var bytes = await source.ReadBlobAsync(blob, OciDocument.MaxBytes, cancellationToken).ConfigureAwait(false);
        foreach (var (_, part) in Parse(source, blob, bytes).References)
            _sources.TryAdd(part.Digest, source);
        _documents[blob.Digest] = bytes;
        return new MemoryStream(bytes, writable: false);
    }

    private static OciDocument Parse(OciContentSource source, OciDescriptor blob, byte[] bytes)
    {
        try
        {
            return OciDocument.Parse(bytes, blob.MediaType);
        }
        catch (FormatException e)
        {
            throw OciErrors.BlobInvalid(source.Location, blob, e.Message);
        }
    }
}
