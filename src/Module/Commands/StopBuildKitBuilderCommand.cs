using System.Management.Automation;
using BuildKit.Builders;

namespace BuildKit.Module.Commands;

/// <summary>Stops the nodes of builders. Their cache stays, and the next build starts them again.</summary>
[Cmdlet(VerbsLifecycle.Stop, "BuildKitBuilder", SupportsShouldProcess = true)]
[OutputType(typeof(BuildKitBuilder))]
public sealed class StopBuildKitBuilderCommand : BuilderRunCommandBase
{
    private protected override string Action => "Stop the builder";

    private protected override async Task<BuildKitBuilder> RunAsync(BuildKitBuilder builder, PipelinePump pump, CancellationToken cancellationToken)
    {
        await Builders.StopAsync(builder, cancellationToken).ConfigureAwait(false);
        await ConnectionPool.CloseAsync(builder).ConfigureAwait(false);
        return await Builders.InspectAsync(builder, cancellationToken).ConfigureAwait(false);
    }
}
