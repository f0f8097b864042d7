using System.Management.Automation;
using BuildKit.Oci.Editing;

namespace BuildKit.Module.Commands;

/// <summary>Removes blobs that nothing refers to from OCI layouts.</summary>
[Cmdlet(VerbsCommon.Optimize, "OciLayout", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
[OutputType(typeof(OciRemovedBlob))]
public sealed class OptimizeOciLayoutCommand : OciLayoutCommandBase
{
    /// <summary>Whether to go on where an index or a manifest can't be read.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    private protected override void Process(string path)
    {
        var plan = Run((_, cancellationToken) => OciLayoutCleanup.PlanAsync(path, Force, cancellationToken));
        if (plan.Count == 0)
            return;
        var what = $"Remove {plan.Count} blobs of {plan.Sum(blob => blob.Size):N0} bytes, which nothing refers to, from {path}";
        var list = string.Concat(plan.Select(blob => $"{Environment.NewLine}  {blob.Digest} ({blob.Size:N0} bytes)"));
        if (ShouldProcess(what + list, $"{what}?", "Optimize-OciLayout"))
            WriteObject(Run((_, cancellationToken) => OciLayoutCleanup.RunAsync(path, Force, cancellationToken)), enumerateCollection: true);
    }
}
