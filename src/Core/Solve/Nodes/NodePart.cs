using BuildKit.Builders;

namespace BuildKit.Solve.Nodes;

/// <summary>A node and what of a build it does.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Connection">The connection to it; who opened it closes it.</param>
/// <param name="Platforms">The platforms it builds for; none means its own.</param>
internal sealed record NodePart(string Name, BuildKitConnection Connection, IReadOnlyList<string> Platforms);
