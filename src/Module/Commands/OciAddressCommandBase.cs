using System.Management.Automation;
using BuildKit.Module.Binding;
using BuildKit.Oci.Copying;

namespace BuildKit.Module.Commands;

/// <summary>A cmdlet that takes layouts by their paths, and references: images in registries among them. One that fails does not keep the others from being done.</summary>
public abstract class OciAddressCommandBase : OciLayoutCommandBase
{
    private const string ReferenceSet = "Reference";

    /// <summary>Names in registries, or <c>oci-layout://PATH[:TAG][@DIGEST]</c>.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ReferenceSet)]
    [ValidateNotNullOrEmpty]
    public string[] Reference { get; set; } = [];

    /// <summary>Uses registries elsewhere without TLS, or with a certificate that nobody vouches for.</summary>
    [Parameter]
    public SwitchParameter Insecure { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName != ReferenceSet)
        {
            base.ProcessRecord();
            return;
        }
        foreach (var text in Reference)
        {
            try
            {
                Process(OciAddressArgument.Read(SessionState, text));
            }
            catch (Exception e) when (IsReportable(e))
            {
                WriteError(e, text);
            }
        }
    }

    /// <summary>Does the work for one place, and writes what comes of it.</summary>
    /// <param name="address">The place.</param>
    private protected abstract void Process(OciAddress address);

    /// <inheritdoc/>
    private protected sealed override void Process(string path) => Process(OciAddress.AtPath(path));
}
