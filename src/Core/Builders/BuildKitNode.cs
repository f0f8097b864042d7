namespace BuildKit.Builders;

/// <summary>One node of a builder.</summary>
public sealed record BuildKitNode
{
    /// <summary>The builder it belongs to; null where it is none's yet.</summary>
    public string? Builder { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is: a docker context or an Engine's address, or the address of a buildkitd for <c>remote</c>.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The platforms it was given, which it is asked for before others; none where it was given none.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = new List<string>();

    /// <summary>The driver's options, such as <c>image</c>, <c>network</c>, <c>cacert</c>.</summary>
    public IReadOnlyDictionary<string, string> DriverOptions { get; init; } = new Dictionary<string, string>();

    /// <summary>The arguments of its buildkitd.</summary>
    public IReadOnlyList<string> BuildkitdFlags { get; init; } = new List<string>();

    /// <summary>Files for its container, by the path below <c>/etc/buildkit</c>: <c>buildkitd.toml</c> and certificates.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; init; } = new Dictionary<string, byte[]>();

    /// <summary>How it is; <see cref="BuildKitNodeStatus.Unknown"/> where it was not asked.</summary>
    public BuildKitNodeStatus Status { get; init; }

    /// <summary>Its BuildKit's version; null where it does not run, was not asked, or is too old to tell (an Engine before version 23).</summary>
    public string? Version { get; init; }

    /// <summary>The platforms that its workers report; none where it does not run or was not asked.</summary>
    public IReadOnlyList<string> WorkerPlatforms { get; init; } = new List<string>();

    /// <summary>Why it could not be asked; null where it could.</summary>
    public string? Error { get; init; }

    /// <summary>The name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;
}
