using BuildKit.Solve.Provenance;

namespace BuildKit.Solve;

/// <summary>What a build gave.</summary>
public sealed record BuildKitSolveResult
{
    /// <summary>The digest of the manifest or index, <c>sha256:…</c>; null where the outputs have none (a directory, say).</summary>
    public string? ImageDigest { get; init; }

    /// <summary>The digest of the image's config, which an Engine with the classic store shows as the image's id; null where there is none.</summary>
    public string? ConfigDigest { get; init; }

    /// <summary>The names given to the image, normalised as the daemon returned them.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>One entry an output, in the order in which they were asked for.</summary>
    public IReadOnlyList<SolveOutputResult> Outputs { get; init; } = [];

    /// <summary>The name of the builder, or the address of the endpoint, that built it.</summary>
    public required string Builder { get; init; }

    /// <summary>The build's reference on the daemon.</summary>
    public required string Ref { get; init; }

    /// <summary>From the first request to the end of the last output.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The vertexes of the build in the order in which they started.</summary>
    public IReadOnlyList<SolveStep> Steps { get; init; } = [];

    /// <summary>What the frontend pointed out, and what was to be said of the request; each once.</summary>
    public IReadOnlyList<SolveWarning> Warnings { get; init; } = [];

    /// <summary>
    /// How each result came about, one entry a platform, as the daemon's history tells it. Empty where the daemon keeps none (Docker Engine before 23, BuildKit before 0.11), where
    /// the result has no layers, and where <c>BUILDX_METADATA_PROVENANCE</c> is <c>disabled</c>.
    /// </summary>
    public IReadOnlyList<BuildKitProvenance> Provenance { get; init; } = [];

    /// <summary>What each node built, where a builder built on several; else empty.</summary>
    public IReadOnlyList<SolveNodeResult> Nodes { get; init; } = new List<SolveNodeResult>();

    /// <summary>What the exporters returned, as they returned it; of an image that was joined from the parts of several nodes its digest alone.</summary>
    public IReadOnlyDictionary<string, string> ExporterResponse { get; init; } = new Dictionary<string, string>();
}

/// <summary>A finished vertex.</summary>
/// <param name="Name">Its name, such as <c>[build 2/3] RUN make</c>.</param>
/// <param name="Cached">Whether its result came from the cache.</param>
/// <param name="Started">When it began, or null where it never ran.</param>
/// <param name="Duration">How long it took; zero for a cached one.</param>
public sealed record SolveStep(string Name, bool Cached, DateTimeOffset? Started, TimeSpan Duration);

/// <summary>What became of one output.</summary>
/// <param name="Type">The exporter as the user named it: <c>image</c>, <c>local</c>, <c>tar</c>, <c>oci</c>, <c>docker</c>.</param>
/// <param name="Destination">The absolute path on this side, or null where the daemon kept the result, a stream took it or an Engine loaded it.</param>
/// <param name="Size">Bytes written on this side, or streamed to who took them; null where the daemon kept the result.</param>
public sealed record SolveOutputResult(string Type, string? Destination, long? Size)
{
    /// <summary>The name or address of the Docker Engine beside the builder that loaded the image; null where none did.</summary>
    public string? LoadedInto { get; init; }

    /// <summary>What that Engine calls the images it loaded: their names, or their ids where they have none.</summary>
    public IReadOnlyList<string> LoadedNames { get; init; } = [];
}

/// <summary>What one node of a builder gave to a build on several.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Platforms">The platforms it built for.</param>
public sealed record SolveNodeResult(string Name, IReadOnlyList<string> Platforms)
{
    /// <summary>The digest of its part of the image, an index; null where it gave none.</summary>
    public string? ImageDigest { get; init; }

    /// <summary>The digests of its manifests by platform, where the parts were joined.</summary>
    public IReadOnlyDictionary<string, string> ManifestDigests { get; init; } = new Dictionary<string, string>();

    /// <summary>The node and its platforms.</summary>
    /// <returns>Such as <c>node1 (linux/arm64)</c>.</returns>
    public override string ToString() => $"{Name} ({string.Join(", ", Platforms)})";
}
