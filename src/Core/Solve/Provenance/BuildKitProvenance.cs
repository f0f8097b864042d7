namespace BuildKit.Solve.Provenance;

/// <summary>
/// How a result came about, as the daemon recorded it: a SLSA provenance predicate (https://slsa.dev/provenance), of version 0.2 or 1. The daemon keeps it in its
/// history for every build with at least one layer, whether or not an attestation was attached to the image.
/// </summary>
public sealed record BuildKitProvenance
{
    /// <summary>The platform of the result, such as <c>linux/arm64</c>; null where the build had one platform alone.</summary>
    public string? Platform { get; init; }

    /// <summary>The version of the predicate: <c>https://slsa.dev/provenance/v0.2</c> or <c>https://slsa.dev/provenance/v1</c>.</summary>
    public required string PredicateType { get; init; }

    /// <summary>What kind of build it was: BuildKit's own URI.</summary>
    public string BuildType { get; init; } = string.Empty;

    /// <summary>Who built, as <c>-Provenance builder-id=…</c> said; null where nothing was said.</summary>
    public string? BuilderId { get; init; }

    /// <summary>The platform of the machine that built.</summary>
    public string? BuilderPlatform { get; init; }

    /// <summary>What went in from outside: base images, git repositories, downloads.</summary>
    public IReadOnlyList<ProvenanceMaterial> Materials { get; init; } = [];

    /// <summary>Where the Dockerfile was.</summary>
    public ProvenanceConfigSource ConfigSource { get; init; } = new(null, null, null);

    /// <summary>What was asked of the frontend.</summary>
    public ProvenanceParameters Parameters { get; init; } = new();

    /// <summary>When and how well; null where the predicate has none.</summary>
    public ProvenanceMetadata? Metadata { get; init; }

    /// <summary>The version control's state of the local context: <c>source</c>, <c>revision</c>, <c>localdir:context</c>.</summary>
    public IReadOnlyDictionary<string, string> Vcs { get; init; } = new Dictionary<string, string>();

    /// <summary>The predicate as the daemon wrote it, all of it: the steps as LLB, the layers, and what the build used of the machine.</summary>
    public string Json { get; init; } = string.Empty;
}

/// <summary>Something that went into a build.</summary>
/// <param name="Uri">What it is: a package URL such as <c>pkg:docker/alpine@3?platform=linux%2Famd64</c>, or a plain URL.</param>
/// <param name="Digest">Its digest with the algorithm before it, <c>sha256:…</c> (<c>sha1:…</c> for git); null where none is known.</param>
public sealed record ProvenanceMaterial(string Uri, string? Digest)
{
    /// <summary>The URI, and the digest after an <c>@</c>.</summary>
    public override string ToString() => Digest is null ? Uri : $"{Uri}@{Digest}";
}

/// <summary>Where the description of a build was.</summary>
/// <param name="Uri">The repository or download that held it; null for a local one.</param>
/// <param name="Digest">The digest of that; null for a local one.</param>
/// <param name="EntryPoint">The name of the Dockerfile.</param>
public sealed record ProvenanceConfigSource(string? Uri, string? Digest, string? EntryPoint);

/// <summary>What was asked of the frontend.</summary>
public sealed record ProvenanceParameters
{
    /// <summary>The frontend: <c>dockerfile.v0</c> or <c>gateway.v0</c>.</summary>
    public string? Frontend { get; init; }

    /// <summary>Its options, build arguments as <c>build-arg:NAME</c>.</summary>
    public IReadOnlyDictionary<string, string> Args { get; init; } = new Dictionary<string, string>();

    /// <summary>The local sources that it read, by name.</summary>
    public IReadOnlyList<string> Locals { get; init; } = [];

    /// <summary>The ids of the secrets that steps mounted; never their values.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>The ids of the SSH agents that steps used.</summary>
    public IReadOnlyList<string> Ssh { get; init; } = [];
}

/// <summary>When a build ran and what is known of its completeness.</summary>
public sealed record ProvenanceMetadata
{
    /// <summary>The daemon's own name for the build.</summary>
    public string? InvocationId { get; init; }

    /// <summary>When it began.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>Whether <see cref="BuildKitProvenance.Parameters"/> holds everything that was asked.</summary>
    public bool ParametersComplete { get; init; }

    /// <summary>Whether <see cref="BuildKitProvenance.Materials"/> holds everything that went in: false as soon as a local source or the network took part.</summary>
    public bool MaterialsComplete { get; init; }

    /// <summary>Whether the same build gives the same result, as the build's author claims.</summary>
    public bool Reproducible { get; init; }

    /// <summary>Whether no step had a network.</summary>
    public bool Hermetic { get; init; }
}
