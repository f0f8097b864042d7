using System.Management.Automation;
using BuildKit.Module.Progress;
using BuildKit.Oci.Checking;
using BuildKit.Solve.Progress;

namespace BuildKit.Module.Commands;

/// <summary>Checks OCI layouts.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OciLayout", DefaultParameterSetName = "Path")]
[OutputType(typeof(OciFinding), typeof(bool))]
public sealed class TestOciLayoutCommand : OciLayoutCommandBase
{
    /// <summary>Whether the bytes of blobs are left unread.</summary>
    [Parameter]
    public SwitchParameter Fast { get; set; }

    /// <summary>Whether the answer is just whether there was no error.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    private protected override void Process(string path)
    {
        var report = Check(path);
        WriteVerbose($"{report.Layout}: {report.BlobCount} blobs, {report.Bytes} bytes, {report.Findings.Count} findings.");
        if (Quiet)
            WriteObject(report.Passed);
        else
            WriteObject(report.Findings, enumerateCollection: true);
    }

    private OciLayoutReport Check(string path)
    {
        var bars = new WriteProgressBars(WriteProgress);
        return RunShown(
            (pump, cancellationToken) => OciLayoutCheck.RunAsync(path, Fast, new PostedProgress<OciCheckProgress>(pump, progress => bars.Show(ToBar(path, progress))), cancellationToken),
            static () => { },
            () => bars.Show(new ProgressBar(0, MyInvocation.MyCommand.Name, path, null, null, IsCompleted: true)));
    }

    private ProgressBar ToBar(string path, OciCheckProgress progress) => new(
        0, MyInvocation.MyCommand.Name, path, $"{progress.Bytes >> 20} of {progress.Total >> 20} MiB", (int)(100 * progress.Bytes / Math.Max(progress.Total, 1)), IsCompleted: false);
}
