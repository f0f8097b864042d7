using System.IO.Compression;

namespace BuildKit.Oci.Editing;

/// <summary>Writes an archive anew with another index. All other entries are copied as they are, header and all.</summary>
internal static class OciArchiveRewrite
{
    private const int BufferSize = 1 << 20;

    /// <summary>Writes beside the archive, and moves it into place when everything is on the disk.</summary>
    /// <param name="source">The archive.</param>
    /// <param name="path">Where it lies.</param>
    /// <param name="index">Its index.</param>
    /// <param name="blobs">Blobs to add.</param>
    /// <param name="beforeMove">Called when the new archive is written and not yet in place.</param>
    /// <param name="cancellationToken">Ends the writing; the archive stays as it is.</param>
    public static async Task RunAsync(
        OciArchiveSource source, string path, byte[] index, IReadOnlyList<OciNewBlob> blobs, Action beforeMove, CancellationToken cancellationToken)
    {
        var partial = OciFile.Beside(path);
        try
        {
            var file = OciFile.Create(partial, path);
            await using (file.ConfigureAwait(false))
            {
                if (source.IsCompressed)
                {
                    var gzip = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true);
                    await using (gzip.ConfigureAwait(false))
                        await WriteAsync(source, gzip, index, blobs, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    await WriteAsync(source, file, index, blobs, cancellationToken).ConfigureAwait(false);
                }
                OciFile.Finish(file);
            }
            source.DemandUnchanged(path);
            beforeMove();
            OciFile.Move(partial, path);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    private static async Task WriteAsync(OciArchiveSource source, Stream to, byte[] index, IReadOnlyList<OciNewBlob> blobs, CancellationToken cancellationToken)
    {
        var table = source.Table;
        var last = table.Indexes[^1];
        long at = 0;
        foreach (var old in table.Indexes)
        {
            await CopyAsync(source, at, old.Start, to, cancellationToken).ConfigureAwait(false);
            at = old.End;
            if (old == last)
                await OciTarWriter.WriteFileAsync(to, OciTarHeader.Resize(source.ReadHeader(old), "index.json", index.Length), index, cancellationToken).ConfigureAwait(false);
        }
        await CopyAsync(source, at, table.End, to, cancellationToken).ConfigureAwait(false);
        if (table.Version is null)
            await OciTarWriter.WriteFileAsync(to, "oci-layout", OciFile.Version, cancellationToken).ConfigureAwait(false);
        foreach (var blob in blobs)
            await OciTarWriter.WriteFileAsync(to, OciLayout.BlobName(blob.Descriptor.Digest), blob.Content, cancellationToken).ConfigureAwait(false);
        await OciTarWriter.WriteEndAsync(to, cancellationToken).ConfigureAwait(false);
    }

    private static async Task CopyAsync(OciArchiveSource source, long from, long end, Stream to, CancellationToken cancellationToken)
    {
        var part = source.OpenRange(from, end - from);
        await using (part.ConfigureAwait(false))
        {
            await part.CopyToAsync(to, BufferSize, cancellationToken).ConfigureAwait(false);
            if (part.Position != end - from)
                throw OciErrors.Changed(source.Location);
        }
    }
}
