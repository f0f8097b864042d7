using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Starts the nodes of builders, and waits until they answer.</summary>
[Cmdlet(VerbsLifecycle.Start, "BuildKitBuilder", SupportsShouldProcess = true)]
[OutputType(typeof(BuildKitBuilder))]
public sealed class StartBuildKitBuilderCommand : BuilderNameCommandBase
{
    /// <summary>The builders; wildcards are allowed.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    /// <summary>Whether the builders are returned.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var builder in Find(Name, static builder => builder.OwnsDaemon))
        {
            if (ShouldProcess(builder.Name, "Start the builder"))
            {
                Report(builder.Name, (pump, cancellationToken) => StartAsync(builder, pump, cancellationToken), started =>
                {
                    if (PassThru)
                        WriteObject(started);
                });
            }
        }
    }
}
