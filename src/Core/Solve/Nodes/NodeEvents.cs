using System.Security.Cryptography;
using System.Text;

namespace BuildKit.Solve.Nodes;

/// <summary>
/// The events of several nodes as those of one build. A step's name begins with its node's (docker/buildx util/progress, WithPrefix, which it has for several targets), and the same step on
/// two nodes is two steps: it may be cached on the one and run on the other. A warning that another node gave already is left out.
/// </summary>
/// <param name="events">Is told of all; null where nobody listens.</param>
internal sealed class NodeEvents(IProgress<SolveEvent>? events) : IProgress<SolveEvent>
{
    private readonly object _lock = new();
    private readonly HashSet<object> _warnings = [];

    /// <summary>What was seen of all nodes; read once all of them have ended.</summary>
    public SolveJournal Journal { get; } = new();

    /// <summary>Takes the events of one node.</summary>
    /// <param name="node">Its name.</param>
    public IProgress<SolveEvent> Of(string node) => new NodeView(this, node);

    /// <summary>Takes events that belong to no node.</summary>
    public void Report(SolveEvent value)
    {
        lock (_lock)
        {
            var warnings = value.Warnings.Where(warning => _warnings.Add(SolveJournal.WhatItSays(warning))).ToList();
            var told = warnings.Count == value.Warnings.Count ? value : value with { Warnings = warnings };
            Journal.Add(told);
            events?.Report(told);
        }
    }

    private sealed class NodeView(NodeEvents all, string node) : IProgress<SolveEvent>
    {
        public void Report(SolveEvent value) => all.Report(new SolveEvent(
            value.Vertexes.Select(Mark).ToList(),
            value.Statuses.Select(status => status with { Vertex = Mark(status.Vertex) }).ToList(),
            value.Logs.Select(log => log with { Vertex = Mark(log.Vertex) }).ToList(),
            value.Warnings.Select(warning => warning with { Vertex = Mark(warning.Vertex) }).ToList()));

        private SolveVertex Mark(SolveVertex vertex) => vertex with
        {
            Digest = Mark(vertex.Digest),
            Inputs = vertex.Inputs.Select(Mark).ToList(),
            Name = Prefix(vertex.Name),
            ProgressGroup = vertex.ProgressGroup is { } group ? group with { Id = Mark(group.Id), Name = Prefix(group.Name) } : null,
        };

        private string Prefix(string name) => name.StartsWith('[') ? $"[{node} {name[1..]}" : $"[{node}] {name}";

        // Still a digest: it is shown, and read by other tools. What belongs to no vertex stays so.
        private string Mark(string digest) =>
            digest.Length == 0 ? digest : "sha256:" + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{node}\n{digest}"))).ToLowerInvariant();
    }
}
