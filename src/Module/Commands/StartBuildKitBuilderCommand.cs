using System.Management.Automation;
using BuildKit.Builders;

namespace BuildKit.Module.Commands;

/// <summary>Starts the nodes of builders, and waits until they answer.</summary>
[Cmdlet(VerbsLifecycle.Start, "BuildKitBuilder", SupportsShouldProcess = true)]
[OutputType(typeof(BuildKitBuilder))]
public sealed class StartBuildKitBuilderCommand : BuilderRunCommandBase
{
    private protected override string Action => "Start the builder";

    private protected override Task<BuildKitBuilder> RunAsync(BuildKitBuilder builder, PipelinePump pump, CancellationToken cancellationToken) =>
        StartAsync(builder, pump, cancellationToken);
}
