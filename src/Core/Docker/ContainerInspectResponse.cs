namespace BuildKit.Docker;

/// <summary>What <c>GET /containers/{id}/json</c> tells of a container, as far as it is used.</summary>
internal sealed record ContainerInspectResponse
{
    public required string ID { get; init; }

    public required ContainerState State { get; init; }

    /// <summary>How often the Engine has started it again since it was last started by hand.</summary>
    public int RestartCount { get; init; }

    /// <summary>The commands that run in it beside its own, or are about to.</summary>
    public IReadOnlyList<string>? ExecIDs { get; init; }
}

/// <summary>How a container is. One that is paused or about to be restarted counts as running too.</summary>
internal sealed record ContainerState
{
    /// <summary><c>created</c>, <c>running</c>, <c>paused</c>, <c>restarting</c>, <c>removing</c>, <c>exited</c> or <c>dead</c>.</summary>
    public string Status { get; init; } = string.Empty;

    public bool Running { get; init; }

    public bool Restarting { get; init; }

    public bool OOMKilled { get; init; }

    public int ExitCode { get; init; }

    /// <summary>When it was last started, by the Engine's clock.</summary>
    public DateTimeOffset StartedAt { get; init; }
}
