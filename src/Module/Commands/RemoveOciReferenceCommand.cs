using System.Management.Automation;
using BuildKit.Module.Completion;
using BuildKit.Oci.Editing;

namespace BuildKit.Module.Commands;

/// <summary>Takes a name from an image of an OCI layout.</summary>
[Cmdlet(VerbsCommon.Remove, "OciReference", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
[OutputType(typeof(OciReferenceResult))]
public sealed class RemoveOciReferenceCommand : OciLayoutCommandBase
{
    /// <summary>The name, or a digest for all names of an image.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ArgumentCompleter(typeof(OciReferenceCompleter))]
    [ValidateNotNullOrEmpty]
    public string Reference { get; set; } = null!;

    /// <summary>Whether an image without a name is not listed any more.</summary>
    [Parameter]
    public SwitchParameter RemoveEntry { get; set; }

    /// <inheritdoc/>
    private protected override void Process(string path)
    {
        if (ShouldProcess(path, $"Remove the name {Reference}"))
            WriteObject(Run((_, cancellationToken) => OciReferences.RemoveAsync(path, Reference, RemoveEntry, cancellationToken)));
    }
}
