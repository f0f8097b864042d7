using BuildKit.Docker;

namespace BuildKit.Builders.Drivers;

/// <summary>What the container of a node is made of (docker/buildx driver/docker-container/driver.go, create).</summary>
internal static class DockerContainerSpec
{
    private const string ContainerPrefix = "buildx_buildkit_";
    private const string StateSuffix = "_state";
    private const string StateFolder = "/var/lib/buildkit";
    private const string DefaultCgroupParent = "/docker/buildx";
    private const string WslLibraries = "/usr/lib/wsl";

    /// <summary>All devices that can compute as a GPU does.</summary>
    public static IReadOnlyList<DeviceRequest> AllGpus { get; } = [new DeviceRequest(-1, [["gpu"]])];

    /// <summary>The name of a node's container, by which buildx finds it too.</summary>
    public static string ContainerName(BuildKitNode node) => ContainerPrefix + node.Name;

    /// <summary>The name of the volume with a node's cache, which outlives its container.</summary>
    public static string StateVolume(BuildKitNode node) => ContainerName(node) + StateSuffix;

    /// <summary>Whether this is a Linux inside Windows whose Engine is on the same machine; a GPU needs Windows' own libraries there.</summary>
    public static bool NeedsWslLibraries(BuildKitEndpoint engine) =>
        engine.Scheme is "unix" or "npipe" && !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("WSL_DISTRO_NAME")) && Directory.Exists(WslLibraries);

    /// <summary>The container of a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="options">What its options ask for.</param>
    /// <param name="engine">The Engine that is to run it.</param>
    /// <param name="gpus">The GPUs it gets.</param>
    /// <param name="needsWslLibraries"><see cref="NeedsWslLibraries"/>.</param>
    public static CreateContainerParameters Create(
        BuildKitNode node, DockerContainerOptions options, SystemInfoResponse engine, IReadOnlyList<DeviceRequest>? gpus, bool needsWslLibraries)
    {
        var mounts = new List<Mount> { new("volume", StateVolume(node), StateFolder) };
        if (needsWslLibraries)
            mounts.Add(new Mount("bind", WslLibraries, WslLibraries, ReadOnly: true));
        // Where the daemon looks for its config by itself depends on the image. What the user says comes later and wins.
        string[] config = node.Files.ContainsKey(BuildkitdConfigFiles.ConfigFile) ? ["--config", $"{DockerContainerFiles.Folder}/{BuildkitdConfigFiles.ConfigFile}"] : [];
        return new CreateContainerParameters
        {
            Image = options.Image,
            Env = options.Environment,
            Cmd = [.. config, .. node.BuildkitdFlags],
            HostConfig = options.Host with
            {
                Privileged = true,
                Init = true, // steps leave processes behind
                Mounts = mounts,
                UsernsMode = engine.RemapsUsers ? "host" : null,
                // One group for the containers of all builders lets all that is built on a machine be limited.
                CgroupParent = engine.CgroupDriver == "cgroupfs" ? options.CgroupParent ?? DefaultCgroupParent : null,
                DeviceRequests = gpus,
            },
        };
    }
}
