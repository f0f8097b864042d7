namespace BuildKit.Builders;

/// <summary>What a builder, or a node of one, is created as (docker buildx create).</summary>
public sealed record BuilderCreateOptions
{
    /// <summary>The builder's name; null for one that is made up.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// <c>docker-container</c> or <c>remote</c>. Null for the one that fits: the builder's own where it exists, <c>remote</c> for an address
    /// (and where there is none for <c>$BUILDKIT_HOST</c>), otherwise <c>docker-container</c>.
    /// </summary>
    public string? Driver { get; init; }

    /// <summary>
    /// Where the node is: for <c>remote</c> a buildkitd's address, null for <c>$BUILDKIT_HOST</c>; for <c>docker-container</c> a docker context or an Engine's address,
    /// null for the Engine that docker itself would use.
    /// </summary>
    public string? Endpoint { get; init; }

    /// <summary>The driver's options; null for none, and for a node that exists for those it has.</summary>
    public IReadOnlyDictionary<string, string>? DriverOptions { get; init; }

    /// <summary>The arguments of buildkitd, each text as one would type it in a shell; null for the usual ones, and for a node that exists for those it has.</summary>
    public IReadOnlyList<string>? BuildkitdFlags { get; init; }

    /// <summary>
    /// The absolute path of a <c>buildkitd.toml</c>, which is copied into the container with the certificates it names; null for <c>buildkitd.default.toml</c> in the store's
    /// folder, if there is one.
    /// </summary>
    public string? BuildkitdConfigPath { get; init; }

    /// <summary>The platforms that the node is asked for before other nodes.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = new List<string>();

    /// <summary>The node's name, null for one made of the builder's. The name of a node that exists changes this node.</summary>
    public string? NodeName { get; init; }

    /// <summary>Whether a node is added to a builder that exists.</summary>
    public bool Append { get; init; }

    /// <summary>Whether it becomes the current builder of the docker context in use, for docker buildx too.</summary>
    public bool Use { get; init; }
}
