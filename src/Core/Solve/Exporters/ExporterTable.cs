namespace BuildKit.Solve.Exporters;

/// <summary>
/// What a user calls an exporter, and what goes over the wire to which daemon. The Engine's names are those of moby's
/// builder-next worker (<c>moby</c>, <c>local</c>, <c>tar</c>; with the containerd store also <c>image</c>, <c>oci</c> and <c>docker</c>), the translation is
/// buildx's (build/opt.go). Everything that is said of exporters is read from here: translation, refusals, help, completion, docs/exporters.md.
/// </summary>
internal static class ExporterTable
{
    /// <summary>The setting that chooses the containerd image store, in brackets, for the middle of an advice.</summary>
    public const string ContainerdStoreSetting = "(\"features\": {\"containerd-snapshotter\": true} in daemon.json)";

    /// <summary>What turns the Engine into one that can do what its classic store can't.</summary>
    public const string ContainerdStoreWayOut =
        $"Switch the Engine to the containerd image store {ContainerdStoreSetting}, or build with a standalone buildkitd.";

    /// <summary>Why several platforms can't be built for with the classic store.</summary>
    public const string OnePlatformReason = "the Engine's classic image store holds one platform an image";

    private const string NoArchives = "the Engine's classic image store can't write image archives";

    private static readonly DaemonStore[] ClassicEngine = [DaemonStore.EngineGraphdriver];
    private static readonly DaemonStore[] ContainerdEngine = [DaemonStore.EngineContainerd];
    private static readonly DaemonStore[] Builders = [DaemonStore.Buildkitd, DaemonStore.ContainerBuilder];
    private static readonly DaemonStore[] AllButClassic = [.. ContainerdEngine, .. Builders];

    // moby/moby#45458: clients that see it take the index's digest for the image's, and not the config's.
    private static readonly Dictionary<string, string> PreferImageDigest = new() { ["prefer-image-digest"] = "true" };
    private static readonly Dictionary<string, string> PushedOnly = new() { ["unpack"] = "false" };

    /// <summary>The columns in the order of a page.</summary>
    public static IReadOnlyList<DaemonStore> Daemons { get; } = [.. ClassicEngine, .. AllButClassic];

    /// <summary>The cells.</summary>
    public static IReadOnlyList<ExporterRow> Rows { get; } =
    [
        .. On(ClassicEngine, EngineImage("image"), EngineImage("registry") with { AlwaysPushes = true }),
        .. On(ContainerdEngine, ContainerdImage("image"), ContainerdImage("registry") with { AlwaysPushes = true, Attributes = Merge(PreferImageDigest, PushedOnly) }),
        .. On(Builders, Image("image"), Image("registry") with { AlwaysPushes = true, Attributes = PushedOnly }),

        .. On(ClassicEngine, EngineImage("docker")),
        .. On(ContainerdEngine, ContainerdImage("docker")),
        .. On(Builders, new ExporterRow("docker", ExporterDestination.Engine, "docker", ExporterFormat.Docker | ExporterFormat.EngineLoad)),

        .. On(ClassicEngine, NoArchive("docker", ExporterDestination.File), NoArchive("docker", ExporterDestination.Layout),
            NoArchive("oci", ExporterDestination.File), NoArchive("oci", ExporterDestination.Layout)),
        .. On(AllButClassic,
            new ExporterRow("docker", ExporterDestination.File, "docker", ExporterFormat.Docker) { HoldsOneImage = true },
            new ExporterRow("docker", ExporterDestination.Layout, "docker", ExporterFormat.Docker) { HoldsOneImage = true },
            new ExporterRow("oci", ExporterDestination.File, "oci", ExporterFormat.Oci),
            new ExporterRow("oci", ExporterDestination.Layout, "oci", ExporterFormat.Oci)),

        .. On(Daemons,
            new ExporterRow("local", ExporterDestination.Directory, "local", ExporterFormat.Local),
            new ExporterRow("tar", ExporterDestination.File, "tar", ExporterFormat.Tar),
            new ExporterRow("cacheonly", ExporterDestination.None, null, ExporterFormat.None)),
    ];

    /// <summary>Names that stand for others: an Engine's own name of its image store.</summary>
    public static IReadOnlyDictionary<string, string> Aliases { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["moby"] = "image" };

    /// <summary>The names a user can give, each once.</summary>
    public static IEnumerable<string> Types => Rows.Select(row => row.Type).Distinct();

    /// <summary>The rows of a type, or of what its alias stands for, on a daemon; none where the type is unknown.</summary>
    public static IEnumerable<ExporterRow> Find(string type, DaemonStore daemon)
    {
        var name = Aliases.GetValueOrDefault(type, type);
        return Rows.Where(row => row.Type.Equals(name, StringComparison.OrdinalIgnoreCase) && row.Daemon == daemon);
    }

    /// <summary>What a person calls a kind of daemon.</summary>
    public static string Describe(DaemonStore daemon) => daemon switch
    {
        DaemonStore.EngineGraphdriver => "a Docker Engine with the classic image store",
        DaemonStore.EngineContainerd => "a Docker Engine with the containerd image store",
        DaemonStore.ContainerBuilder => "a buildkitd in a container",
        _ => "a standalone buildkitd",
    };

    private static IEnumerable<ExporterRow> On(IEnumerable<DaemonStore> daemons, params ExporterRow[] rows) =>
        daemons.SelectMany(daemon => rows.Select(row => row with { Daemon = daemon }));

    private static ExporterRow EngineImage(string type) =>
        new(type, ExporterDestination.None, "moby", ExporterFormat.ClassicStore) { Push = ExporterPush.ByEngine };

    private static ExporterRow ContainerdImage(string type) =>
        new(type, ExporterDestination.None, "moby", ExporterFormat.ContainerdStore) { Push = ExporterPush.ByExporter, Attributes = PreferImageDigest };

    private static ExporterRow Image(string type) =>
        new(type, ExporterDestination.None, "image", ExporterFormat.Image) { Push = ExporterPush.ByExporter };

    private static ExporterRow NoArchive(string type, ExporterDestination destination) =>
        new(type, destination, null, ExporterFormat.None) { Reason = NoArchives, WayOut = ContainerdStoreWayOut };

    private static Dictionary<string, string> Merge(params Dictionary<string, string>[] tables) => tables.SelectMany(table => table).ToDictionary();
}
