using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Lists builders and how their nodes are.</summary>
[Cmdlet(VerbsCommon.Get, "BuildKitBuilder")]
[OutputType(typeof(BuildKitBuilder))]
public sealed class GetBuildKitBuilderCommand : BuilderNameCommandBase
{
    /// <summary>The builders to list; wildcards are allowed.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Whether no node is asked how it is.</summary>
    [Parameter]
    public SwitchParameter NoStatus { get; set; }

    /// <summary>How many seconds a node may take.</summary>
    [Parameter]
    [ValidateRange(1, 600)]
    public int TimeoutSec { get; set; } = 10;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var found = Find(Name, static _ => true);
        if (NoStatus)
            WriteObject(found, enumerateCollection: true);
        else
            Report(Name, (_, cancellationToken) => InspectAsync(found, TimeSpan.FromSeconds(TimeoutSec), cancellationToken), builders => WriteObject(builders, enumerateCollection: true));
    }
}
