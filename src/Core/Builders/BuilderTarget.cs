using BuildKit.Builders.Drivers;

namespace BuildKit.Builders;

/// <summary>The builder that is meant, and where each of its nodes is.</summary>
/// <param name="Name">The builder's name, or the address that was given.</param>
/// <param name="Source">The setting that chose it, such as <c>$env:BUILDX_BUILDER</c>; null where the caller named it.</param>
/// <param name="Nodes">Its nodes, at least one; a plain address is one node.</param>
public sealed record BuilderTarget(string Name, string? Source, IReadOnlyList<BuilderTargetNode> Nodes)
{
    /// <summary>Why further nodes of it can't be found, such as one at a docker context that is gone, an error each; they are left out, as docker buildx leaves them out.</summary>
    public IReadOnlyList<BuildKitException> Unavailable { get; init; } = new List<BuildKitException>();

    /// <summary>The name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;
}

/// <summary>One node of the builder that is meant.</summary>
/// <param name="Endpoint">Where its daemon is; connecting boots it where it has to be.</param>
/// <param name="Node">What the store says of it; null where the builder is none of the store's.</param>
public sealed record BuilderTargetNode(BuildKitEndpoint Endpoint, BuildKitNode? Node)
{
    /// <summary>Whether the image of a build that names no output is loaded into a Docker Engine: the driver's option <c>default-load</c>.</summary>
    public bool LoadsByDefault => GoBoolean.Parse(Node?.DriverOptions.GetValueOrDefault(BuilderDriver.DefaultLoad)) == true;
}
