namespace BuildKit.Solve.Progress;

/// <summary>What is known of a build so far, put together from its events.</summary>
internal sealed class ProgressTrace
{
    private readonly Dictionary<string, TracedVertex> _byDigest = [];
    private readonly Dictionary<string, TracedVertex> _groups = [];
    private readonly List<TracedVertex> _vertexes = [];

    /// <summary>All that may be shown, in the order in which it appeared; hidden groups too.</summary>
    public IReadOnlyList<TracedVertex> Vertexes => _vertexes;

    /// <summary>Is told of every vertex that has something new to show, once for each such thing.</summary>
    public Action<TracedVertex>? Changed { get; init; }

    /// <summary>Is told of the newest state of a vertex's part.</summary>
    public Action<TracedVertex, SolveVertexStatus>? StatusChanged { get; init; }

    /// <summary>Is told of every warning.</summary>
    public Action<TracedVertex, SolveVertexWarning>? Warned { get; init; }

    public TracedVertex? Find(string digest) => _byDigest.GetValueOrDefault(digest);

    public void Update(SolveEvent solveEvent)
    {
        UpdateVertexes(solveEvent.Vertexes);
        foreach (var status in solveEvent.Statuses)
        {
            if (!_byDigest.TryGetValue(status.Vertex, out var traced))
                continue;
            traced.Update(status);
            StatusChanged?.Invoke(traced, status);
            Changed?.Invoke(traced);
        }
        foreach (var warning in solveEvent.Warnings)
        {
            if (_byDigest.TryGetValue(warning.Vertex, out var traced))
                Warned?.Invoke(traced, warning);
        }
        foreach (var log in solveEvent.Logs)
        {
            if (!_byDigest.TryGetValue(log.Vertex, out var traced))
                continue;
            traced.Log.Append(log);
            Changed?.Invoke(traced);
        }
    }

    private void UpdateVertexes(IReadOnlyList<SolveVertex> vertexes)
    {
        var groups = new HashSet<TracedVertex>();
        foreach (var vertex in vertexes)
        {
            if (vertex.ProgressGroup is { } group)
            {
                if (!_groups.TryGetValue(group.Id, out var traced))
                    _groups[group.Id] = traced = Add(group.Id, group.Name);
                _byDigest[vertex.Digest] = traced;
                traced.AddMember(vertex);
                groups.Add(traced);
            }
            else
            {
                if (!_byDigest.TryGetValue(vertex.Digest, out var traced))
                    _byDigest[vertex.Digest] = traced = Add(vertex.Digest, vertex.Name);
                if (traced.Update(vertex))
                    Changed?.Invoke(traced);
            }
        }
        // Like buildkit's, a group takes the newest state of each member, once an event.
        foreach (var group in groups.Where(group => group.RefreshGroup()))
            Changed?.Invoke(group);
    }

    private TracedVertex Add(string id, string name)
    {
        var traced = new TracedVertex(id, name, _vertexes.Count);
        _vertexes.Add(traced);
        return traced;
    }
}
