using System.Management.Automation;
using BuildKit.Module.Completion;
using BuildKit.Oci.Editing;

namespace BuildKit.Module.Commands;

/// <summary>Makes one entry of an OCI layout's index.</summary>
[Cmdlet(VerbsDiagnostic.Repair, "OciIndex", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
[OutputType(typeof(OciIndexRepairResult))]
public sealed class RepairOciIndexCommand : OciLayoutCommandBase
{
    /// <summary>The image that stays, and its name.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OciReferenceCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Reference { get; set; }

    /// <summary>The platform whose image stays.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Platform { get; set; }

    /// <summary>Whether all images are put into one for several platforms.</summary>
    [Parameter]
    public SwitchParameter AsNestedIndex { get; set; }

    /// <summary>Whether all names but one are forgotten.</summary>
    [Parameter]
    public SwitchParameter DropNames { get; set; }

    /// <summary>Whether the old index is kept.</summary>
    [Parameter]
    public SwitchParameter Backup { get; set; }

    /// <inheritdoc/>
    private protected override void Process(string path)
    {
        var options = new OciIndexRepairOptions { Reference = Reference, Platform = Platform, AsNestedIndex = AsNestedIndex, DropNames = DropNames, Backup = Backup };
        var repair = new OciIndexRepair(path, options);
        var plan = Run((_, cancellationToken) => repair.PlanAsync(cancellationToken));
        if (!plan.Changed)
            WriteObject(plan);
        else if (ShouldProcess(path, plan.ToString()))
            WriteObject(Run((_, cancellationToken) => repair.RunAsync(cancellationToken)));
    }
}
