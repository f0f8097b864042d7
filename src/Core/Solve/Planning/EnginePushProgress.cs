using BuildKit.Docker;

namespace BuildKit.Solve.Planning;

/// <summary>Shows what an Engine says of a push as a step of the build, with a status a layer, as docker buildx does. Used by one thread at a time.</summary>
internal sealed class EnginePushProgress : IProgress<JSONMessage>
{
    private readonly IProgress<SolveEvent>? _events;
    private readonly Dictionary<string, SolveVertexStatus> _layers = new(StringComparer.Ordinal);
    private readonly SolveVertex _vertex;

    /// <param name="name">The image's name.</param>
    /// <param name="events">Is told at once that the step has begun; null where nobody listens.</param>
    public EnginePushProgress(string name, IProgress<SolveEvent>? events)
    {
        _events = events;
        _vertex = LocalVertex.Start($"pushing {name} with docker");
        Show(_vertex);
    }

    public void Report(JSONMessage value)
    {
        if (string.IsNullOrEmpty(value.ID) || value.ProgressDetail is not { } detail)
            return;
        var now = DateTimeOffset.UtcNow;
        var id = "pushing layer " + value.ID;
        if (!_layers.TryGetValue(id, out var layer))
            layer = new SolveVertexStatus(id, _vertex.Digest, string.Empty, 0, 0, now, now, null);
        if (detail.Total > 0)
            // The headers of a tar come on top of the size that the Engine knows.
            layer = layer with { Current = Math.Min(detail.Current, detail.Total), Total = detail.Total };
        layer = layer with { Timestamp = now };
        if (IsDone(value.Status))
            layer = layer with { Current = layer.Total, Completed = now };
        _layers[id] = layer;
        Show(layer);
    }

    /// <summary>Ends the step, and the layers that the Engine said no end of.</summary>
    /// <param name="error">Why it failed; null where it did not.</param>
    public void Complete(string? error)
    {
        var now = DateTimeOffset.UtcNow;
        foreach (var layer in _layers.Values.Where(layer => layer.Completed is null))
            Show(layer with { Timestamp = now, Completed = now });
        Show(_vertex with { Completed = now, Error = error ?? string.Empty });
    }

    private static bool IsDone(string? status) =>
        status is "Pushed" or "Layer already exists" || (status?.StartsWith("Mounted from ", StringComparison.Ordinal) ?? false);

    private void Show(SolveVertex vertex) => _events?.Report(new SolveEvent([vertex], [], [], []));

    private void Show(SolveVertexStatus status) => _events?.Report(new SolveEvent([], [status], [], []));
}
