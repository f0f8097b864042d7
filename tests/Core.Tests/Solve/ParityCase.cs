namespace BuildKit.Tests.Solve;

/// <summary>An output that both tools are asked for.</summary>
/// <param name="Type">The exporter.</param>
/// <param name="Attributes">Its attributes, but <c>dest</c>.</param>
internal sealed record ParityCase(string Type, params (string Name, string Value)[] Attributes)
{
    private const string OnePlatform = "linux/amd64";
    private const string TwoPlatforms = "linux/amd64,linux/arm64";

    public string Platforms { get; private init; } = OnePlatform;

    /// <summary>Annotations as docker writes them.</summary>
    public IReadOnlyList<string> Annotations { get; private init; } = [];

    /// <summary>Whether the exporter leaves files on this side.</summary>
    public bool HasDestination => Type is "oci" or "docker" or "tar" or "local";

    /// <summary>The same for an Engine's own store, which unpacks images: that rules out rewriting file times.</summary>
    public ParityCase ForEngine() => Type == "image" ? this with { Attributes = Attributes.Where(attribute => attribute.Name != "rewrite-timestamp").ToArray() } : this;

    private const string OnManifest = "org.example.one=1, \"quoted\" = ü";

    private static readonly string[] OnIndex =
    [
        OnManifest,
        "index:org.example.two=2",
        "manifest[linux/arm64]:org.example.three=3",
        "manifest-descriptor,index:org.example.four=4",
    ];

    /// <summary>All cases by name. File times of images are rewritten, so that two executions of a step give the same layer.</summary>
    public static IReadOnlyDictionary<string, ParityCase> All { get; } = new Dictionary<string, ParityCase>
    {
        ["image"] = Timeless("image"),
        ["image, two platforms"] = Timeless("image") with { Platforms = TwoPlatforms },
        ["image, annotated"] = Timeless("image") with { Annotations = [OnManifest] },
        ["image, two platforms, annotated"] = Timeless("image") with { Platforms = TwoPlatforms, Annotations = OnIndex },
        ["image, zstd"] = Timeless("image", ("compression", "zstd"), ("force-compression", "true")),
        ["oci file"] = Timeless("oci"),
        ["oci file, two platforms"] = Timeless("oci") with { Platforms = TwoPlatforms },
        ["oci file, annotated"] = Timeless("oci") with { Annotations = [OnManifest] },
        ["oci file, two platforms, annotated"] = Timeless("oci") with { Platforms = TwoPlatforms, Annotations = OnIndex },
        ["oci file, gzip"] = Timeless("oci", ("compression", "gzip"), ("compression-level", "9"), ("force-compression", "true")),
        ["oci file, zstd"] = Timeless("oci", ("compression", "zstd"), ("force-compression", "true")) with { Platforms = TwoPlatforms },
        ["oci file, estargz"] = Timeless("oci", ("compression", "estargz"), ("force-compression", "true")),
        ["oci file, uncompressed"] = Timeless("oci", ("compression", "uncompressed"), ("force-compression", "true")),
        ["docker file"] = Timeless("docker"),
        ["docker file, annotated"] = Timeless("docker") with { Annotations = [OnManifest] },
        ["docker file, uncompressed"] = Timeless("docker", ("compression", "uncompressed"), ("force-compression", "true")),
        ["tar"] = new("tar"),
        ["tar, two platforms"] = new("tar") { Platforms = TwoPlatforms },
        ["local"] = new("local"),
        ["local, two platforms"] = new("local") { Platforms = TwoPlatforms },
    };

    private static ParityCase Timeless(string type, params (string, string)[] attributes) => new(type, [("rewrite-timestamp", "true"), .. attributes]);
}
