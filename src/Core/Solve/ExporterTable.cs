namespace BuildKit.Solve;

/// <summary>What an output needs on this side.</summary>
internal enum ExporterDestination
{
    /// <summary>The daemon keeps the result.</summary>
    None,

    /// <summary>A directory that the daemon's files are written to.</summary>
    Directory,

    /// <summary>A file that the daemon's stream is written to.</summary>
    File,
}

/// <summary>One exporter on one kind of daemon.</summary>
/// <param name="Type">The exporter in the user's words.</param>
/// <param name="Daemon">The kind of daemon.</param>
/// <param name="Destination">What the row needs on this side; the same type can have a row with a destination and one without.</param>
/// <param name="WireName">The exporter's name on the wire; null where nothing is exported or the daemon can't.</param>
/// <param name="TakesName">Whether tags become the attribute <c>name</c>.</param>
/// <param name="LoadsIntoEngine">Whether the result appears among the Engine's images.</param>
/// <param name="Attributes">Attributes added unless the user set them.</param>
/// <param name="Reason">Why the daemon can't do this; null where it can.</param>
/// <param name="WayOut">What to do instead; null where it can.</param>
internal sealed record ExporterRow(
    string Type,
    DaemonStore Daemon,
    ExporterDestination Destination,
    string? WireName,
    bool TakesName = false,
    bool LoadsIntoEngine = false,
    IReadOnlyDictionary<string, string>? Attributes = null,
    string? Reason = null,
    string? WayOut = null)
{
    public bool Supported => Reason is null;
}

/// <summary>
/// What a user calls an exporter, and what goes over the wire to which daemon. The Engine's names are those of moby's
/// builder-next worker (<c>moby</c>, <c>local</c>, <c>tar</c>; with the containerd store also <c>oci</c> and <c>docker</c>), the translation is buildx's (build/opt.go).
/// </summary>
internal static class ExporterTable
{
    private const string NeedsContainerdStore = "the Engine's classic image store can't write image archives";
    private const string ContainerdStoreWayOut =
        "Switch the Engine to the containerd image store (\"features\": {\"containerd-snapshotter\": true} in daemon.json), or build with a standalone buildkitd.";
    private const string NoEngineToLoadInto = "a standalone buildkitd has no image store of Docker's to load into";
    private const string LoadWayOut = "Write the image to a file with -Output type=docker,dest=image.tar and load that, or build with the Docker Engine itself.";

    // BuildKit issue moby/moby#45458: without it the Engine reports the config's digest as the image's.
    private static readonly Dictionary<string, string> PreferImageDigest = new() { ["prefer-image-digest"] = "true" };

    public static IReadOnlyList<ExporterRow> Rows { get; } =
    [
        new("image", DaemonStore.EngineGraphdriver, ExporterDestination.None, "moby", TakesName: true, LoadsIntoEngine: true),
        new("image", DaemonStore.EngineContainerd, ExporterDestination.None, "moby", TakesName: true, LoadsIntoEngine: true, Attributes: PreferImageDigest),
        new("image", DaemonStore.Buildkitd, ExporterDestination.None, "image", TakesName: true),
        new("docker", DaemonStore.EngineGraphdriver, ExporterDestination.None, "moby", TakesName: true, LoadsIntoEngine: true),
        new("docker", DaemonStore.EngineContainerd, ExporterDestination.None, "moby", TakesName: true, LoadsIntoEngine: true, Attributes: PreferImageDigest),
        new("docker", DaemonStore.Buildkitd, ExporterDestination.None, null, Reason: NoEngineToLoadInto, WayOut: LoadWayOut),
        new("docker", DaemonStore.EngineGraphdriver, ExporterDestination.File, null, Reason: NeedsContainerdStore, WayOut: ContainerdStoreWayOut),
        new("docker", DaemonStore.EngineContainerd, ExporterDestination.File, "docker", TakesName: true),
        new("docker", DaemonStore.Buildkitd, ExporterDestination.File, "docker", TakesName: true),
        new("oci", DaemonStore.EngineGraphdriver, ExporterDestination.File, null, Reason: NeedsContainerdStore, WayOut: ContainerdStoreWayOut),
        new("oci", DaemonStore.EngineContainerd, ExporterDestination.File, "oci", TakesName: true),
        new("oci", DaemonStore.Buildkitd, ExporterDestination.File, "oci", TakesName: true),
        new("local", DaemonStore.EngineGraphdriver, ExporterDestination.Directory, "local"),
        new("local", DaemonStore.EngineContainerd, ExporterDestination.Directory, "local"),
        new("local", DaemonStore.Buildkitd, ExporterDestination.Directory, "local"),
        new("tar", DaemonStore.EngineGraphdriver, ExporterDestination.File, "tar"),
        new("tar", DaemonStore.EngineContainerd, ExporterDestination.File, "tar"),
        new("tar", DaemonStore.Buildkitd, ExporterDestination.File, "tar"),
        new("cacheonly", DaemonStore.EngineGraphdriver, ExporterDestination.None, null),
        new("cacheonly", DaemonStore.EngineContainerd, ExporterDestination.None, null),
        new("cacheonly", DaemonStore.Buildkitd, ExporterDestination.None, null),
    ];

    /// <summary>The names a user can give, each once.</summary>
    public static IEnumerable<string> Types => Rows.Select(row => row.Type).Distinct();

    /// <summary>The rows of a type on a daemon; none where the type is unknown.</summary>
    public static IEnumerable<ExporterRow> Find(string type, DaemonStore daemon) =>
        Rows.Where(row => row.Type.Equals(type, StringComparison.OrdinalIgnoreCase) && row.Daemon == daemon);
}
