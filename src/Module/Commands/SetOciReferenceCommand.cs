using System.Management.Automation;
using BuildKit.Module.Completion;
using BuildKit.Oci.Editing;

namespace BuildKit.Module.Commands;

/// <summary>Gives a name to an image of an OCI layout.</summary>
[Cmdlet(VerbsCommon.Set, "OciReference", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
[OutputType(typeof(OciReferenceResult))]
public sealed class SetOciReferenceCommand : OciLayoutCommandBase
{
    /// <summary>The name.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Reference { get; set; } = null!;

    /// <summary>The image, by a name that it has or by its digest.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Digest")]
    [ArgumentCompleter(typeof(OciReferenceCompleter))]
    [ValidateNotNullOrEmpty]
    public string? From { get; set; }

    /// <summary>Whether the name is taken from an image that has it.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    private protected override void Process(string path)
    {
        if (ShouldProcess(path, $"Give {From ?? "its image"} the name {Reference}"))
            WriteObject(Run((_, cancellationToken) =>
                OciReferences.SetAsync(path, new OciReferenceOptions { Reference = Reference, From = From, Force = Force }, cancellationToken)));
    }
}
