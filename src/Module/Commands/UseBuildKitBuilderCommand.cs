using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Chooses the builder that is used where none is named.</summary>
[Cmdlet(VerbsOther.Use, "BuildKitBuilder", SupportsShouldProcess = true, DefaultParameterSetName = ByName)]
[OutputType(typeof(BuildKitBuilder))]
public sealed class UseBuildKitBuilderCommand : BuilderNameCommandBase
{
    private const string ByName = "Name";
    private const string TakeBack = "Reset";

    /// <summary>A builder, docker context or address.</summary>
    [Parameter(ParameterSetName = ByName, Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = string.Empty;

    /// <summary>For whom it is chosen.</summary>
    [Parameter(ParameterSetName = ByName)]
    public BuilderScope Scope { get; set; }

    /// <summary>Whether it is chosen for every docker context.</summary>
    [Parameter(ParameterSetName = ByName)]
    public SwitchParameter Global { get; set; }

    /// <summary>Whether it stays the one for the docker context in use when another builder is used for a while.</summary>
    [Parameter(ParameterSetName = ByName)]
    public SwitchParameter Default { get; set; }

    /// <summary>Whether the session's choice is taken back, so that the settings decide again.</summary>
    [Parameter(ParameterSetName = TakeBack, Mandatory = true)]
    public SwitchParameter Reset { get; set; }

    /// <summary>Whether the builder is returned.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == TakeBack)
        {
            if (!Reset || !ShouldProcess("this session", "Take back the choice of a builder"))
                return;
            EndSessionChoice();
            WriteUsed();
            return;
        }
        var isForUser = Scope == BuilderScope.User || Global || Default;
        if (!ShouldProcess(Name, isForUser ? "Use the builder for this user" : "Use the builder in this session"))
            return;
        Report(Name, async (_, cancellationToken) =>
        {
            if (isForUser)
                await Builders.SetCurrentAsync(Name, Global, Default, cancellationToken).ConfigureAwait(false);
            else
                await new EndpointResolver().ResolveBuilderAsync(Name, cancellationToken).ConfigureAwait(false);
            return true;
        }, _ =>
        {
            if (isForUser)
            {
                EndSessionChoice();
                WarnOfOverride(Name);
            }
            else
            {
                EndpointResolver.SessionBuilder = Name;
            }
            WriteUsed();
        });
    }

    private void WriteUsed()
    {
        if (PassThru)
            Report(null, (_, cancellationToken) => Builders.GetAsync(null, cancellationToken), WriteObject);
    }
}
