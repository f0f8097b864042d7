namespace BuildKit.Docker;

/// <summary>What <c>GET /info</c> tells of the Engine, as far as it is used.</summary>
internal sealed record SystemInfoResponse
{
    public string? ID { get; init; }

    public string? Name { get; init; }

    /// <summary>The storage driver, or the snapshotter with the containerd image store.</summary>
    public string? Driver { get; init; }

    /// <summary>Pairs; with the containerd image store <c>driver-type</c> is <c>io.containerd.snapshotter.v1</c>.</summary>
    public IReadOnlyList<IReadOnlyList<string>>? DriverStatus { get; init; }

    /// <summary>The distribution's name, with <c>(containerized)</c> after it where the Engine's first process is in a control group of its own (moby pkg/parsers/operatingsystem).</summary>
    public string? OperatingSystem { get; init; }

    /// <summary>Where the Engine keeps its data, as it is named on its own machine.</summary>
    public string? DockerRootDir { get; init; }

    /// <summary>What the Engine itself finds worth a warning.</summary>
    public IReadOnlyList<string>? Warnings { get; init; }

    public string? Architecture { get; init; }

    /// <summary><c>cgroupfs</c>, <c>systemd</c> or <c>none</c>.</summary>
    public string? CgroupDriver { get; init; }

    /// <summary>What confines containers, such as <c>name=seccomp,profile=builtin</c>.</summary>
    public IReadOnlyList<string>? SecurityOptions { get; init; }

    /// <summary>Whether users of containers are mapped to others of the machine.</summary>
    public bool RemapsUsers => SecurityOptions?.Any(option => option.Split(',').Contains("name=userns")) ?? false;

    public bool UsesContainerdStore =>
        DriverStatus?.Any(pair => pair is ["driver-type", "io.containerd.snapshotter.v1"]) ?? false;
}
