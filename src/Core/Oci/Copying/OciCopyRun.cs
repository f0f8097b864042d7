using System.Diagnostics;

namespace BuildKit.Oci.Copying;

/// <summary>Copies the blobs of a plan, and counts what becomes of them.</summary>
internal sealed class OciCopyRun(OciContentSource source, OciCopyTarget target, OciCopyPlan plan, IProgress<OciCopyEvent>? progress)
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    private readonly int[] _counts = new int[Enum.GetValues<OciCopyState>().Length];
    private readonly long _totalSize = OciDescriptor.TotalSize(plan.Blobs.Select(blob => blob.Size));
    private long _copiedBytes;

    public long CopiedBytes => _copiedBytes;

    public int Count(OciCopyState state) => _counts[(int)state];

    public Task CopyBlobsAsync(int concurrency, CancellationToken cancellationToken)
    {
        // The largest first, so that none of them is alone at the end; into an archive as the manifests list them.
        var blobs = target.TakesSeveral ? plan.Blobs.OrderByDescending(blob => blob.Size) : plan.Blobs.AsEnumerable();
        var options = new ParallelOptions { MaxDegreeOfParallelism = target.TakesSeveral ? concurrency : 1, CancellationToken = cancellationToken };
        return Parallel.ForEachAsync(blobs, options, async (blob, token) => await CopyAsync(blob, token).ConfigureAwait(false));
    }

    private async Task CopyAsync(OciDescriptor blob, CancellationToken cancellationToken)
    {
        var reported = Stopwatch.GetTimestamp();
        Report(blob, OciCopyState.Copying, 0);
        var state = await target.PutBlobAsync(blob, source, OnProgress, cancellationToken).ConfigureAwait(false);
        Interlocked.Increment(ref _counts[(int)state]);
        if (state == OciCopyState.Copied)
            Interlocked.Add(ref _copiedBytes, blob.Size);
        Report(blob, state, blob.Size);

        void OnProgress(long current)
        {
            if (Stopwatch.GetElapsedTime(reported) < ReportInterval)
                return;
            reported = Stopwatch.GetTimestamp();
            Report(blob, OciCopyState.Copying, current);
        }
    }

    private void Report(OciDescriptor blob, OciCopyState state, long current) =>
        progress?.Report(new OciCopyEvent(blob.Digest.ToString(), state, current, blob.Size, plan.Blobs.Count, _totalSize));
}
