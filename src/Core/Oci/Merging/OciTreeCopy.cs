namespace BuildKit.Oci.Merging;

/// <summary>Copies manifests with everything below them, each once, and what a manifest refers to before the manifest.</summary>
/// <param name="target">Where to.</param>
/// <param name="onProgress">Is told in words what is copied; null for nobody.</param>
internal sealed class OciTreeCopy(IOciMergeTarget target, Action<string>? onProgress)
{
    private const int BlobsAtOnce = 4;

    private readonly HashSet<OciDigest> _done = [];

    public Task RunAsync(OciContentSource source, OciDescriptor root, CancellationToken cancellationToken) => RunAsync(source, root, 0, cancellationToken);

    private async Task RunAsync(OciContentSource source, OciDescriptor blob, int depth, CancellationToken cancellationToken)
    {
        if (depth > OciDocument.MaxDepth)
            throw OciErrors.TooDeep(source.Location, blob.Digest.ToString());
        if (!_done.Add(blob.Digest) || await target.HasDocumentAsync(blob, cancellationToken).ConfigureAwait(false))
            return;
        var content = await source.ReadBlobAsync(blob, OciDocument.MaxBytes, cancellationToken).ConfigureAwait(false);
        var document = Parse(source, blob, content);
        foreach (var manifest in document.Index?.Manifests ?? [])
            await RunAsync(source, manifest, depth + 1, cancellationToken).ConfigureAwait(false);
        var blobs = document.Manifest is null ? [] : document.References.Select(reference => reference.Blob)
            .Where(part => !OciMediaType.IsForeignLayer(part.MediaType) && _done.Add(part.Digest)).ToList();
        await Parallel.ForEachAsync(
            blobs, new ParallelOptions { MaxDegreeOfParallelism = BlobsAtOnce, CancellationToken = cancellationToken },
            async (part, token) =>
            {
                if (await target.CopyBlobAsync(source, part, token).ConfigureAwait(false))
                    onProgress?.Invoke($"Copied {part.Digest} ({part.Size} bytes) from {source.Location}");
            }).ConfigureAwait(false);
        await target.PutDocumentAsync(blob, content, cancellationToken).ConfigureAwait(false);
        onProgress?.Invoke($"Copied {blob.Digest} from {source.Location}");
    }

    private static OciDocument Parse(OciContentSource source, OciDescriptor blob, byte[] content)
    {
        try
        {
            return OciDocument.Parse(content, blob.MediaType);
        }
        catch (FormatException e)
        {
            throw OciErrors.BlobInvalid(source.Location, blob, e.Message);
        }
    }
}
