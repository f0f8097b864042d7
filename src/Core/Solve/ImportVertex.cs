using System.Collections.Concurrent;
using BuildKit.Docker;
using BuildKit.Session.FileSend;

namespace BuildKit.Solve;

/// <summary>Shows an Engine's image load like a step of the daemon's own, with a part for each layer (docker/buildx util/dockerutil).</summary>
/// <param name="events">Is told of it.</param>
internal sealed class ImportVertex(IProgress<SolveEvent> events) : IImageLoadProgress
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _started = new();
    private volatile SolveVertex? _vertex;

    public void Start() => Show(LocalVertex.Start("importing to docker"));

    public void Report(JSONMessage value)
    {
        if (_vertex is not { Completed: null } vertex || value is not { ID: { } layer, ProgressDetail: { } detail })
            return;
        var now = DateTimeOffset.UtcNow;
        var id = $"loading layer {layer}";
        var completed = detail.Total > 0 && detail.Current >= detail.Total;
        events.Report(new SolveEvent(
            [], [new SolveVertexStatus(id, vertex.Digest, string.Empty, detail.Current, detail.Total, now, _started.GetOrAdd(id, now), completed ? now : null)], [], []));
    }

    public void End(Exception? failure) =>
        Show(_vertex! with { Completed = DateTimeOffset.UtcNow, Error = failure is OperationCanceledException ? "context canceled" : failure?.Message ?? string.Empty });

    private void Show(SolveVertex vertex)
    {
        _vertex = vertex;
        events.Report(new SolveEvent([vertex], [], [], []));
    }
}
