using BuildKit.Builders;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Nodes;

/// <summary>
/// Finds the nodes that a build needs and connects to these (docker/buildx build/resolver). The platforms that a node was given decide, as long as every platform that is asked for
/// is one of them; if not, all nodes are asked what they run.
/// </summary>
internal static class NodeChoice
{
    /// <summary>Finds them.</summary>
    /// <returns>At least one node; a builder that has one alone is left to normalise the platforms itself.</returns>
    /// <exception cref="BuildKitException">A platform is none, or a node that is needed can't be reached.</exception>
    public static async Task<IReadOnlyList<NodePart>> ChooseAsync(
        BuilderTarget builder, Func<BuilderTargetNode, CancellationToken, Task<BuildKitConnection>> connect, SolveRequest request, CancellationToken cancellationToken)
    {
        if (builder.Nodes is [var only])
            return [new NodePart(NameOf(only), await connect(only, cancellationToken).ConfigureAwait(false), request.Platforms)];

        var connections = new BuildKitConnection?[builder.Nodes.Count];
        var asked = Parse(PlatformPlanner.Normalize(request, new SolveDaemon(DaemonStore.Buildkitd)).Platforms);
        var given = builder.Nodes.Select(node => Parse(node.Node?.Platforms ?? [])).ToList();
        var assignment = NodePlatforms.AssignExactly(asked, given);
        if (!assignment.IsComplete)
        {
            await ConnectAsync(Enumerable.Range(0, connections.Length)).ConfigureAwait(false);
            assignment = NodePlatforms.Assign(asked, given.Select((platforms, node) => (IReadOnlyList<PlatformSpecifier>)[.. platforms, .. Offered(connections[node]!)]).ToList());
        }
        else
        {
            await ConnectAsync(assignment.Parts.Select(part => part.Node)).ConfigureAwait(false);
        }
        return assignment.Parts
            .Select(part => new NodePart(NameOf(builder.Nodes[part.Node]), connections[part.Node]!, part.Platforms.Select(platform => platform.ToString()).ToList()))
            .ToList();

        async Task ConnectAsync(IEnumerable<int> nodes)
        {
            var needed = nodes.ToList();
            await NodeTasks.RunAsync(
                needed.Select(node => NameOf(builder.Nodes[node])).ToList(),
                async (index, stop) => connections[needed[index]] = await connect(builder.Nodes[needed[index]], stop).ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false);
        }
    }

    private static string NameOf(BuilderTargetNode node) => node.Node?.Name ?? node.Endpoint.Name;

    private static List<PlatformSpecifier> Offered(BuildKitConnection connection) => Parse(connection.Workers.SelectMany(worker => worker.Platforms));

    private static List<PlatformSpecifier> Parse(IEnumerable<string> platforms) => platforms.Select(text => PlatformSpecifier.Parse(text, "linux")).ToList();
}
