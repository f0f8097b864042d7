using System.Management.Automation;
using BuildKit.Solve.Progress;

namespace BuildKit.Module.Progress;

/// <summary>Shows bars with <c>Write-Progress</c>.</summary>
internal sealed class WriteProgressBars(Action<ProgressRecord> writeProgress)
{
    private const int IdsPerBuild = 100_000;

    private static int _builds;

    // Ids of their own, so that neither the user's bars nor those of a build beside this one are touched.
    private readonly int _firstId = (Interlocked.Increment(ref _builds) % 10_000 + 1) * IdsPerBuild;

    /// <summary>Shows a bar, or takes it away.</summary>
    /// <param name="bar">The bar.</param>
    public void Show(ProgressBar bar)
    {
        writeProgress(new ProgressRecord(_firstId + bar.Id, bar.Activity.Length > 0 ? bar.Activity : "step", bar.Status)
        {
            ParentActivityId = bar.Id == 0 ? -1 : _firstId,
            CurrentOperation = bar.CurrentOperation,
            PercentComplete = bar.PercentComplete ?? -1,
            RecordType = bar.IsCompleted ? ProgressRecordType.Completed : ProgressRecordType.Processing,
        });
    }
}
