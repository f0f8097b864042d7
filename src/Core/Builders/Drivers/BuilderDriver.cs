namespace BuildKit.Builders.Drivers;

/// <summary>What runs the nodes of a builder (docker/buildx driver/). Only a driver that makes its daemons itself has something to boot, stop and remove.</summary>
internal abstract class BuilderDriver
{
    /// <summary>The option of several drivers by which a build without outputs is loaded into a Docker Engine.</summary>
    public const string DefaultLoad = "default-load";

    /// <summary>The name, as the store has it.</summary>
    public abstract string Name { get; }

    /// <summary>Whether nodes are made, started and stopped by it; without it they run or don't, whatever is asked of us.</summary>
    public virtual bool OwnsDaemon => false;

    /// <summary>Whether builders of it can be created; without it they are there or not.</summary>
    public virtual bool AllowsInstances => true;

    /// <summary>Checks a node before it is put into the store.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidDriverOption</c> and the like.</exception>
    public abstract void Validate(BuildKitNode node);

    /// <summary>Where the node's daemon is; it need not run.</summary>
    public abstract Task<BuildKitEndpoint> FindEndpointAsync(BuilderNode node, CancellationToken cancellationToken);

    /// <summary>How the node is, without starting it; <see cref="BuildKitNodeStatus.Unknown"/> where only a connection tells.</summary>
    public virtual Task<BuildKitNodeStatus> GetStatusAsync(BuilderNode node, CancellationToken cancellationToken) => Task.FromResult(BuildKitNodeStatus.Unknown);

    /// <summary>Makes and starts what the node lacks, and returns once its daemon answers. Does nothing where it does already. What it made is removed where it fails.</summary>
    public virtual Task BootAsync(BuilderNode node, IProgress<BuilderBootEvent>? progress, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Stops the daemon; it can be booted again.</summary>
    public virtual Task StopAsync(BuilderNode node, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Removes what booting made.</summary>
    /// <param name="node">The node.</param>
    /// <param name="keepState">Leaves its cache, which a later builder of that name takes up.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public virtual Task RemoveAsync(BuilderNode node, bool keepState, CancellationToken cancellationToken) => Task.CompletedTask;
}
