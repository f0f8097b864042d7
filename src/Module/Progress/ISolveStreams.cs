using System.Management.Automation;

namespace BuildKit.Module.Progress;

/// <summary>The streams that a build is shown on: a pipeline's, or a job's.</summary>
internal interface ISolveStreams
{
    /// <summary>Writes a line for the host, out of the way of the result, as Write-Host does.</summary>
    /// <param name="line">The line.</param>
    void WriteLine(string line);

    /// <summary>Writes a warning.</summary>
    /// <param name="text">The warning.</param>
    void WriteWarning(string text);

    /// <summary>Shows a bar, or takes it away.</summary>
    /// <param name="record">The bar.</param>
    void WriteProgress(ProgressRecord record);
}
