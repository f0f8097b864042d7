using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Nodes;

/// <summary>Which node builds for which platform (docker/buildx build/resolver).</summary>
internal static class NodePlatforms
{
    /// <summary>Assigns by what the nodes are, and by nothing that is only near it.</summary>
    /// <param name="asked">The platforms to build for.</param>
    /// <param name="nodes">Each node's platforms.</param>
    public static NodeAssignment AssignExactly(IReadOnlyList<PlatformSpecifier> asked, IReadOnlyList<IReadOnlyList<PlatformSpecifier>> nodes) =>
        Assign(asked, nodes, static own => [own]);

    /// <summary>Assigns by what the nodes run: a node of <c>linux/arm64</c> builds for <c>linux/arm/v7</c> where no other is nearer to it.</summary>
    /// <param name="asked">The platforms to build for.</param>
    /// <param name="nodes">Each node's platforms.</param>
    public static NodeAssignment Assign(IReadOnlyList<PlatformSpecifier> asked, IReadOnlyList<IReadOnlyList<PlatformSpecifier>> nodes) =>
        Assign(asked, nodes, RunnablePlatforms.Of);

    private static NodeAssignment Assign(
        IReadOnlyList<PlatformSpecifier> asked, IReadOnlyList<IReadOnlyList<PlatformSpecifier>> nodes, Func<PlatformSpecifier, IReadOnlyList<PlatformSpecifier>> runs)
    {
        if (asked.Count == 0)
            return new NodeAssignment([(0, [])], IsComplete: true);
        var offers = nodes.SelectMany((platforms, node) => platforms.Select(platform => (Node: node, Runs: runs(platform)))).ToList();
        var parts = new List<(int Node, List<PlatformSpecifier> Platforms)>();
        var isComplete = true;
        foreach (var platform in asked)
        {
            var node = Find(platform, offers);
            isComplete &= node is not null;
            var at = parts.FindIndex(part => part.Node == (node ?? 0));
            if (at >= 0)
                parts[at].Platforms.Add(platform);
            else
                parts.Add((node ?? 0, [platform]));
        }
        return new NodeAssignment(parts, isComplete);
    }

    /// <summary>The node that is nearest to the platform, of equals the first; null where none is near.</summary>
    private static int? Find(PlatformSpecifier platform, List<(int Node, IReadOnlyList<PlatformSpecifier> Runs)> offers)
    {
        (int Node, IReadOnlyList<PlatformSpecifier> Runs)? best = null;
        foreach (var offer in offers)
        {
            if (!offer.Runs.Contains(platform, SameMachine.Instance))
                continue;
            // As buildx compares: which of the two the offer runs more readily, what is asked for or what the best node is itself.
            if (best is null || Rank(offer.Runs, platform) < Rank(offer.Runs, best.Value.Runs[0]))
                best = offer;
        }
        return best?.Node;
    }

    private static int Rank(IReadOnlyList<PlatformSpecifier> runs, PlatformSpecifier platform)
    {
        for (var rank = 0; rank < runs.Count; rank++)
            if (SameMachine.Instance.Equals(runs[rank], platform))
                return rank;
        return int.MaxValue;
    }

    /// <summary>Compares without the version of the operating system, where one of the two has none.</summary>
    private sealed class SameMachine : IEqualityComparer<PlatformSpecifier>
    {
        public static SameMachine Instance { get; } = new();

        public bool Equals(PlatformSpecifier? x, PlatformSpecifier? y) =>
            x is not null && y is not null && x.Architecture == y.Architecture && x.Variant == y.Variant
            && (x.OS == y.OS || (Name(x) == Name(y) && (x.OS == Name(x) || y.OS == Name(y))));

        public int GetHashCode(PlatformSpecifier obj) => HashCode.Combine(Name(obj), obj.Architecture, obj.Variant);

        private static string Name(PlatformSpecifier platform) => platform.OS.Split('(', 2)[0];
    }
}

/// <summary>What each node is to build.</summary>
/// <param name="Parts">The nodes that have something to do, by their indexes, in the order in which the platforms were asked for. None asked for is the first node with none.</param>
/// <param name="IsComplete">Whether there was a node for every platform; the first one got those that nobody has.</param>
internal sealed record NodeAssignment(IReadOnlyList<(int Node, List<PlatformSpecifier> Platforms)> Parts, bool IsComplete);
