namespace BuildKit.Builders;

/// <summary>A builder: one or several nodes that build under one name. Kept in buildx's own store.</summary>
public sealed record BuildKitBuilder
{
    /// <summary>Its name, in lower case.</summary>
    public required string Name { get; init; }

    /// <summary>What runs its nodes: <c>docker</c>, <c>docker-container</c>, <c>remote</c>, <c>kubernetes</c>.</summary>
    public required string Driver { get; init; }

    /// <summary>The nodes, the one that is asked first at the front.</summary>
    public IReadOnlyList<BuildKitNode> Nodes { get; init; } = new List<BuildKitNode>();

    /// <summary>When it was last used or changed, as the store knows; null for never.</summary>
    public DateTimeOffset? LastActivity { get; init; }

    /// <summary>The name.</summary>
    /// <returns><see cref="Name"/>, so that a builder can be given wherever a name is asked for.</returns>
    public override string ToString() => Name;
}
