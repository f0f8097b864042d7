using System.Management.Automation;
using BuildKit.Oci;
using BuildKit.Oci.Copying;

namespace BuildKit.Module.Commands;

/// <summary>Lists the entries of an OCI layout's index, or of an image in a registry.</summary>
[Cmdlet(VerbsCommon.Get, "OciIndex", DefaultParameterSetName = "Path")]
[OutputType(typeof(OciIndexEntry))]
public sealed class GetOciIndexCommand : OciAddressCommandBase
{
    /// <summary>Whether to list what is in indexes and manifests, too.</summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <inheritdoc/>
    private protected override void Process(OciAddress address) =>
        WriteObject(Run((_, cancellationToken) => OciIndexReader.ListAsync(address, Recurse, Insecure, cancellationToken)), enumerateCollection: true);
}
