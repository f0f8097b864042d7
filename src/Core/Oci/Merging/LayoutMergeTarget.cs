using BuildKit.Oci.Editing;
using BuildKit.Session.Content;

namespace BuildKit.Oci.Merging;

/// <summary>A layout directory. Blobs lie apart until the index is written.</summary>
internal sealed class LayoutMergeTarget : IOciMergeTarget
{
    private const int BufferSize = 128 * 1024;

    private readonly ContentStore _store;
    private readonly IReadOnlyList<string> _tags;

    /// <param name="layout">The directory.</param>
    /// <param name="tags">The names that the index gets.</param>
    public LayoutMergeTarget(OciLayout layout, IReadOnlyList<string> tags)
    {
        layout.DemandUpdatable();
        _store = new ContentStore(layout) { IsWritable = true };
        _tags = tags;
    }

    // That a manifest is in a layout does not say that its layers are: they are looked at one by one.
    public Task<bool> HasDocumentAsync(OciDescriptor blob, CancellationToken cancellationToken) => Task.FromResult(false);

    public Task PutDocumentAsync(OciDescriptor blob, byte[] content, CancellationToken cancellationToken) =>
        WriteAsync(blob, _ => Task.FromResult<Stream>(new MemoryStream(content, writable: false)), cancellationToken);

    public Task<bool> CopyBlobAsync(OciContentSource source, OciDescriptor blob, CancellationToken cancellationToken) =>
        WriteAsync(blob, token => source.OpenBlobAsync(blob, token), cancellationToken);

    public Task NameAsync(OciDescriptor index, byte[] content, CancellationToken cancellationToken) => _store.Layout.UpdateAsync(
        _store.Publish,
        all =>
        {
            foreach (var tag in _tags)
                all.Put(index, OciNames.Create(tag));
        },
        cancellationToken);

    public void Dispose() => _store.Dispose();

    private async Task<bool> WriteAsync(OciDescriptor blob, Func<CancellationToken, Task<Stream>> open, CancellationToken cancellationToken)
    {
        if (_store.Find(blob.Digest)?.Length == blob.Size)
            return false;
        var ingest = _store.Begin(blob.Digest.ToString(), blob.Size, blob.Digest);
        var isDone = false;
        try
        {
            var content = await open(cancellationToken).ConfigureAwait(false);
            await using (content.ConfigureAwait(false))
            {
                var buffer = new byte[BufferSize];
                for (int count; (count = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
                    ingest.Append(buffer.AsSpan(0, count));
            }
            _store.Commit(ingest);
            isDone = true;
            return true;
        }
        finally
        {
            if (!isDone)
                _store.Release(ingest);
        }
    }
}
