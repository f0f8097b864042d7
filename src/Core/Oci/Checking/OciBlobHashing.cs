using System.Buffers;
using System.Collections.Concurrent;

namespace BuildKit.Oci.Checking;

/// <summary>Hashes blobs on all processors, the largest first, so that no processor waits for a large one in the end.</summary>
internal static class OciBlobHashing
{
    private const int BufferSize = 1 << 18;
    private const long Step = 64 << 20;

    public static async Task RunAsync(
        OciLayoutSource source, IReadOnlyList<(string Path, OciDescriptor Blob)> blobs, OciFindings findings, IProgress<OciCheckProgress>? progress,
        CancellationToken cancellationToken)
    {
        var total = blobs.Sum(item => item.Blob.Size);
        long done = 0;
        var errors = new Exception?[blobs.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken };
        // One at a time to each processor: a share of the list handed out in advance would undo the order.
        var queue = Partitioner.Create(
            Enumerable.Range(0, blobs.Count).OrderByDescending(i => blobs[i].Blob.Size), EnumerablePartitionerOptions.NoBuffering);
        await Task.Run(() => Parallel.ForEach(queue, options, i => errors[i] = Hash(blobs[i].Blob)), cancellationToken).ConfigureAwait(false);
        // In the order of the index, whichever was first found.
        for (var i = 0; i < errors.Length; i++)
            if (errors[i] is { } error)
                findings.Add(OciFindingTable.KindOf(error, blobs[i].Blob), blobs[i].Path, blobs[i].Blob.Digest, error.Message);

        Exception? Hash(OciDescriptor blob)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
            try
            {
                using var stream = new OciVerifyingStream(source.OpenContent(blob), blob, source.Location);
                for (int count; (count = stream.Read(buffer)) > 0;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var sum = Interlocked.Add(ref done, count);
                    if (sum / Step != (sum - count) / Step)
                        progress?.Report(new OciCheckProgress(sum, total));
                }
                return null;
            }
            catch (Exception e) when (e is BuildKitException or IOException)
            {
                return e;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
