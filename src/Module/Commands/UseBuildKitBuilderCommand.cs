using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Chooses the builder that is used where none is named.</summary>
[Cmdlet(VerbsOther.Use, "BuildKitBuilder", SupportsShouldProcess = true)]
[OutputType(typeof(BuildKitBuilder))]
public sealed class UseBuildKitBuilderCommand : BuilderNameCommandBase
{
    private const string None = "default";

    /// <summary>A builder, docker context or address; <c>default</c> takes the choice back.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = None;

    /// <summary>For whom it is chosen.</summary>
    [Parameter]
    public BuilderScope Scope { get; set; }

    /// <summary>Whether it is chosen for every docker context.</summary>
    [Parameter]
    public SwitchParameter Global { get; set; }

    /// <summary>Whether it stays the one for the docker context in use when another builder is used for a while.</summary>
    [Parameter]
    public SwitchParameter Default { get; set; }

    /// <summary>Whether the builder is returned.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var isForUser = Scope == BuilderScope.User || Global || Default;
        if (!ShouldProcess(Name, isForUser ? "Use the builder for this user" : "Use the builder in this session"))
            return;
        Report(Name, async (_, cancellationToken) =>
        {
            if (isForUser)
                await Builders.SetCurrentAsync(Name, Global, Default, cancellationToken).ConfigureAwait(false);
            else if (Name != None)
                await new EndpointResolver().ResolveBuilderAsync(Name, cancellationToken).ConfigureAwait(false);
            return true;
        }, _ =>
        {
            EndpointResolver.SessionBuilder = isForUser || Name == None ? null : Name;
            if (isForUser)
                WarnIfOverridden(this, Name);
            if (PassThru)
                Report(Name, (_, cancellationToken) => Builders.GetAsync(null, cancellationToken), WriteObject);
        });
    }

    /// <summary>What was chosen for the user holds in this session too; where a setting still wins, a warning says which.</summary>
    internal static void WarnIfOverridden(Cmdlet command, string name)
    {
        EndpointResolver.SessionBuilder = null;
        foreach (var variable in new[] { "BUILDX_BUILDER", "BUILDKIT_HOST" })
        {
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value && value != name)
            {
                command.WriteWarning($"'{name}' is not used here, because $env:{variable} names '{value}'. Remove the variable, or use the builder in this session (-Scope Session).");
                return;
            }
        }
    }
}
