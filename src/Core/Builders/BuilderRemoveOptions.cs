namespace BuildKit.Builders;

/// <summary>What is left when a builder, or a node of one, is removed (docker buildx rm).</summary>
public sealed record BuilderRemoveOptions
{
    /// <summary>Whether its cache stays, which a later builder of that name takes up.</summary>
    public bool KeepState { get; init; }

    /// <summary>Whether its daemons stay as they are, running or not.</summary>
    public bool KeepDaemon { get; init; }

    /// <summary>Whether it is removed from the store even where a daemon can't be removed.</summary>
    public bool Force { get; init; }
}
