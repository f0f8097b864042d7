using BuildKit.Builders.Drivers;

namespace BuildKit.Builders;

/// <summary>
/// A builder: one or several nodes that build under one name. It is kept in buildx's own store, or stands for a docker context. How it is doing is no part of what is stored.
/// </summary>
public sealed record BuildKitBuilder
{
    /// <summary>Its name, in lower case.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// What runs its nodes: <c>docker</c>, <c>docker-container</c>, <c>remote</c>, <c>kubernetes</c>; empty where that is not known, of an address and where <see cref="Error"/> is set.
    /// </summary>
    public required string Driver { get; init; }

    /// <summary>The nodes, the one that is asked first at the front.</summary>
    public IReadOnlyList<BuildKitNode> Nodes { get; init; } = new List<BuildKitNode>();

    /// <summary>Whether it stands for a docker context, which the docker program creates and removes.</summary>
    public bool IsDockerContext { get; init; }

    /// <summary>Whether its daemons are its own: it makes them, and they are started, stopped and removed with it.</summary>
    public bool OwnsDaemon => BuilderDrivers.Find(Driver)?.OwnsDaemon == true;

    /// <summary>Whether it is used where no builder is named.</summary>
    public bool IsCurrent { get; init; }

    /// <summary>Why the store's file of it can't be read; null where it can.</summary>
    public string? Error { get; init; }

    /// <summary>
    /// Whether it is known that nothing of it runs: every node that was asked does not exist yet or is stopped. A daemon that is somebody else's counts where it does not answer; a node of
    /// its own that could not be asked, is paused or just starts may run, and its cache is in use.
    /// </summary>
    public bool IsInactive => Error is null && Nodes.All(node =>
        node.Status is BuildKitNodeStatus.Inactive or BuildKitNodeStatus.Stopped
        || (node.Status == BuildKitNodeStatus.Error && BuilderDrivers.Find(Driver) is { OwnsDaemon: false }));

    /// <summary>When it was last used or changed, as the store knows; null for never.</summary>
    public DateTimeOffset? LastActivity { get; init; }

    /// <summary>The name.</summary>
    /// <returns><see cref="Name"/>, so that a builder can be given wherever a name is asked for.</returns>
    public override string ToString() => Name;
}
