using BuildKit.Solve;
using BuildKit.Solve.Nodes;
using Xunit;

namespace BuildKit.Tests.Solve.Nodes;

public sealed class NodeEventsTests
{
    private readonly Recorder<SolveEvent> _seen = new();

    [Fact]
    public void TheSameStepOfTwoNodesIsTwoSteps()
    {
        var events = new NodeEvents(_seen);
        foreach (var node in new[] { "a", "b" })
            events.Of(node).Report(new SolveEvent(
                [Vertex("sha256:1", "[internal] load", []), Vertex("sha256:2", "exporting", ["sha256:1"]) with { ProgressGroup = new SolveProgressGroup("g", "[x] copy", false) }],
                [new SolveVertexStatus("id", "sha256:2", "", 1, 2, default, null, null)], [new SolveVertexLog("sha256:2", 1, default, default)], []));

        Assert.Equal(["[a internal] load", "[a] exporting", "[b internal] load", "[b] exporting"], _seen.Events.SelectMany(item => item.Vertexes).Select(vertex => vertex.Name));
        Assert.Equal(4, _seen.Events.SelectMany(item => item.Vertexes).Select(vertex => vertex.Digest).Distinct().Count());
        Assert.All(_seen.Events, item =>
        {
            Assert.Equal([item.Vertexes[0].Digest], item.Vertexes[1].Inputs);
            Assert.Equal(item.Vertexes[1].Digest, item.Statuses.Single().Vertex);
            Assert.Equal(item.Vertexes[1].Digest, item.Logs.Single().Vertex);
        });
        Assert.Equal(["[a x] copy", "[b x] copy"], _seen.Events.Select(item => item.Vertexes[1].ProgressGroup!.Name));
        Assert.Equal(4, events.Journal.Steps().Count);
    }

    [Fact]
    public void AWarningIsToldOnce()
    {
        var events = new NodeEvents(_seen);
        foreach (var node in new[] { "a", "b" })
            events.Of(node).Report(new SolveEvent([], [], [], [new SolveVertexWarning("", 1, "both", [], "", null), new SolveVertexWarning("", 1, node, [], "", null)]));
        Assert.Equal(["both", "a", "b"], _seen.Events.SelectMany(item => item.Warnings).Select(warning => warning.Short));
        Assert.Equal(["both", "a", "b"], events.Journal.Warnings.Select(warning => warning.Short));
    }

    private static SolveVertex Vertex(string digest, string name, string[] inputs) => new(digest, inputs, name, null, null, false, "", null);
}
