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

    /// <summary>What the frontend pointed out.</summary>
    public IReadOnlyList<SolveVertexWarning> Warnings { get; init; } = [];

    /// <summary>What the exporters returned, as they returned it.</summary>
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
/// <param name="Destination">The absolute path on this side, or null where the daemon kept the result.</param>
/// <param name="Size">Bytes written on this side; null where the daemon kept the result.</param>
public sealed record SolveOutputResult(string Type, string? Destination, long? Size);
