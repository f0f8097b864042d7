namespace BuildKit.Docker;

/// <summary>The body of <c>POST /containers/create</c>, as far as it is used.</summary>
internal sealed record CreateContainerParameters
{
    public required string Image { get; init; }

    public IReadOnlyList<string>? Entrypoint { get; init; }

    public IReadOnlyList<string>? Cmd { get; init; }

    /// <summary><c>NAME=VALUE</c>.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    public HostConfig HostConfig { get; init; } = new();
}

/// <summary>The answer to it.</summary>
internal sealed record CreateContainerResponse
{
    public required string ID { get; init; }
}

/// <summary>How an Engine runs a container. What is null or 0 is left to the Engine.</summary>
internal sealed record HostConfig
{
    public bool Privileged { get; init; }

    /// <summary>Whether a small init process reaps what processes of the container leave.</summary>
    public bool? Init { get; init; }

    /// <summary>Whether the container is removed once it has ended.</summary>
    public bool AutoRemove { get; init; }

    public RestartPolicy? RestartPolicy { get; init; }

    public IReadOnlyList<Mount>? Mounts { get; init; }

    public string? NetworkMode { get; init; }

    public string? UsernsMode { get; init; }

    public string? CgroupParent { get; init; }

    /// <summary>Bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Bytes of memory and swap together; -1 for no limit.</summary>
    public long MemorySwap { get; init; }

    public long CpuShares { get; init; }

    /// <summary>Microseconds.</summary>
    public long CpuPeriod { get; init; }

    /// <summary>Microseconds of each period.</summary>
    public long CpuQuota { get; init; }

    public string? CpusetCpus { get; init; }

    public string? CpusetMems { get; init; }

    public IReadOnlyList<DeviceRequest>? DeviceRequests { get; init; }
}

/// <summary>What an Engine does about a container that ends.</summary>
/// <param name="Name"><c>no</c>, <c>always</c>, <c>unless-stopped</c> or <c>on-failure</c>; empty for the Engine's own default.</param>
/// <param name="MaximumRetryCount">How often it tries again with <c>on-failure</c>; 0 for no end.</param>
internal sealed record RestartPolicy(string Name, int MaximumRetryCount);

/// <summary>Something mounted into a container.</summary>
/// <param name="Type"><c>volume</c> or <c>bind</c>.</param>
/// <param name="Source">The volume's name, or the path on the Engine's machine.</param>
/// <param name="Target">The path in the container.</param>
/// <param name="ReadOnly">Whether nothing can be written there.</param>
internal sealed record Mount(string Type, string Source, string Target, bool ReadOnly = false);

/// <summary>Devices that a container asks for.</summary>
/// <param name="Count">How many; -1 for all.</param>
/// <param name="Capabilities">Alternatives, each a list of what the device must be.</param>
internal sealed record DeviceRequest(int Count, IReadOnlyList<IReadOnlyList<string>> Capabilities);
