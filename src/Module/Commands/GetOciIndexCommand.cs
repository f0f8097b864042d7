using System.Management.Automation;
using BuildKit.Oci;

namespace BuildKit.Module.Commands;

/// <summary>Lists the entries of an OCI layout's index.</summary>
[Cmdlet(VerbsCommon.Get, "OciIndex", DefaultParameterSetName = "Path")]
[OutputType(typeof(OciIndexEntry))]
public sealed class GetOciIndexCommand : OciLayoutCommandBase
{
    /// <summary>Whether to list what is in indexes and manifests, too.</summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <inheritdoc/>
    private protected override void Process(string path) =>
        WriteObject(Run((_, cancellationToken) => OciIndexReader.ListAsync(path, Recurse, cancellationToken)), enumerateCollection: true);
}
