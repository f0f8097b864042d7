using System.Management.Automation;
using BuildKit.Oci.Editing;

namespace BuildKit.Module.Commands;

/// <summary>Removes blobs that nothing refers to from OCI layouts.</summary>
[Cmdlet(VerbsCommon.Optimize, "OciLayout", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
[OutputType(typeof(OciRemovedBlob))]
public sealed class OptimizeOciLayoutCommand : OciLayoutCommandBase
{
    /// <inheritdoc/>
    private protected override void Process(string path)
    {
        var plan = Run((_, cancellationToken) => OciLayoutCleanup.PlanAsync(path, cancellationToken));
        if (plan.Count > 0 && ShouldProcess(path, $"remove {plan.Count} blobs of {plan.Sum(blob => blob.Size)} bytes that nothing refers to"))
            WriteObject(Run((_, cancellationToken) => OciLayoutCleanup.RunAsync(path, cancellationToken)), enumerateCollection: true);
    }
}
