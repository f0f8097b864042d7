using System.Management.Automation;
using BuildKit.Oci.Checking;

namespace BuildKit.Module.Commands;

/// <summary>Checks OCI layouts.</summary>
[Cmdlet(VerbsDiagnostic.Test, "OciLayout", DefaultParameterSetName = "Path")]
[OutputType(typeof(OciFinding), typeof(bool))]
public sealed class TestOciLayoutCommand : OciLayoutCommandBase
{
    private const int Activity = 4711;

    /// <summary>Whether the bytes of blobs are left unread.</summary>
    [Parameter]
    public SwitchParameter Fast { get; set; }

    /// <summary>Whether the answer is just whether there was no error.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    private protected override void Process(string path)
    {
        var report = Run((pump, cancellationToken) => OciLayoutCheck.RunAsync(path, Fast, new Bar(pump, this, path), cancellationToken));
        WriteVerbose($"{report.Layout}: {report.BlobCount} blobs, {report.Bytes} bytes, {report.Findings.Count} findings.");
        WriteProgress(new ProgressRecord(Activity, "Test-OciLayout", path) { RecordType = ProgressRecordType.Completed });
        if (Quiet)
            WriteObject(report.Passed);
        else
            WriteObject(report.Findings, enumerateCollection: true);
    }

    private sealed class Bar(PipelinePump pump, Cmdlet command, string path) : IProgress<OciCheckProgress>
    {
        public void Report(OciCheckProgress value)
        {
            var record = new ProgressRecord(Activity, "Test-OciLayout", path)
            {
                PercentComplete = (int)(100 * value.Bytes / Math.Max(value.Total, 1)),
                CurrentOperation = $"{value.Bytes >> 20} of {value.Total >> 20} MiB",
            };
            pump.Post(() => command.WriteProgress(record));
        }
    }
}
