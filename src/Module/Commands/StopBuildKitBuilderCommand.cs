using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Stops the nodes of builders. Their cache stays, and the next build starts them again.</summary>
[Cmdlet(VerbsLifecycle.Stop, "BuildKitBuilder", SupportsShouldProcess = true)]
[OutputType(typeof(BuildKitBuilder))]
public sealed class StopBuildKitBuilderCommand : BuilderNameCommandBase
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
            if (ShouldProcess(builder.Name, "Stop the builder"))
            {
                Report(builder.Name, (_, cancellationToken) => StopAsync(builder, cancellationToken), stopped =>
                {
                    if (PassThru)
                        WriteObject(stopped);
                });
            }
        }
    }

    private async Task<BuildKitBuilder> StopAsync(BuildKitBuilder builder, CancellationToken cancellationToken)
    {
        await Builders.StopAsync(builder, cancellationToken).ConfigureAwait(false);
        await ConnectionPool.CloseAsync(builder).ConfigureAwait(false);
        return await Builders.InspectAsync(builder, cancellationToken).ConfigureAwait(false);
    }
}
