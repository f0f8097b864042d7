namespace BuildKit.Oci.Copying;

/// <summary>A layout directory, made where it is missing. Blobs get their name when they are whole; the index names the image at the very end.</summary>
/// <param name="path">The directory.</param>
internal sealed class LayoutCopyTarget(string path) : OciCopyTarget
{
    private readonly OciLayout _layout = new(path);

    public override async Task<OciCopyState> PutBlobAsync(OciDescriptor blob, OciContentSource source, Action<long> progress, CancellationToken cancellationToken)
    {
        var place = _layout.BlobPath(blob.Digest);
        if (await IsThereAsync(blob, place, cancellationToken).ConfigureAwait(false))
            return OciCopyState.Skipped;
        var from = await source.OpenBlobAsync(blob, cancellationToken).ConfigureAwait(false);
        await using (from.ConfigureAwait(false))
            await WriteAsync(place, from, progress, cancellationToken).ConfigureAwait(false);
        return OciCopyState.Copied;
    }

    public override async Task FinishAsync(OciCopyPlan plan, CancellationToken cancellationToken)
    {
        foreach (var (manifest, content) in plan.Manifests)
        {
            var place = _layout.BlobPath(manifest.Digest);
            if (!await IsThereAsync(manifest, place, cancellationToken).ConfigureAwait(false))
                await WriteAsync(place, new MemoryStream(content), static _ => { }, cancellationToken).ConfigureAwait(false);
        }
        await _layout.UpdateAsync(static () => { }, plan.AddTo, cancellationToken).ConfigureAwait(false);
    }

    // What has the right name need not have the right content.
    private async Task<bool> IsThereAsync(OciDescriptor blob, string place, CancellationToken cancellationToken)
    {
        if (new FileInfo(place) is not { Exists: true } file || file.Length != blob.Size)
            return false;
        try
        {
            var there = await new OciDirectorySource(_layout, _layout.Path).OpenBlobAsync(blob, cancellationToken).ConfigureAwait(false);
            await using (there.ConfigureAwait(false))
                await OciBlobCopy.DrainAsync(there, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (BuildKitException)
        {
            return false;
        }
    }

    private async Task WriteAsync(string place, Stream from, Action<long> progress, CancellationToken cancellationToken)
    {
        var partial = OciFile.Beside(place);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            using (var file = File.OpenHandle(partial, FileMode.CreateNew, FileAccess.Write))
            {
                long at = 0;
                await OciBlobCopy.RunAsync(
                    from,
                    (bytes, _) =>
                    {
                        // A regular file keeps nobody waiting: the thread that has the bytes writes them.
                        RandomAccess.Write(file, bytes.Span, at);
                        at += bytes.Length;
                        return ValueTask.CompletedTask;
                    },
                    progress, cancellationToken).ConfigureAwait(false);
            }
            // Not brought to the disk first, which the index is: that would double the time of a copy. What a power cut takes of a blob, its digest shows, and the next copy
            // brings it back; nothing older is lost by it.
            File.Move(partial, place, overwrite: true);
        }
        catch (Exception e)
        {
            OciFile.TryDelete(partial);
            if (e is IOException or UnauthorizedAccessException)
                throw OciErrors.From(_layout.Path, e);
            throw;
        }
    }
}
