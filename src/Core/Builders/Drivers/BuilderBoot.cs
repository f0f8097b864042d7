namespace BuildKit.Builders.Drivers;

/// <summary>A node that is booted before it is connected to.</summary>
/// <param name="driver">Its driver.</param>
/// <param name="node">The node.</param>
internal sealed class BuilderBoot(BuilderDriver driver, BuilderNode node)
{
    /// <summary>How the node is; it is not started.</summary>
    public Task<BuildKitNodeStatus> GetStatusAsync(CancellationToken cancellationToken) => driver.GetStatusAsync(node, cancellationToken);

    public Task RunAsync(IProgress<BuilderBootEvent>? progress, CancellationToken cancellationToken) => driver.BootAsync(node, progress, cancellationToken);
}
