using BuildKit.Builders;
using BuildKit.Docker;

namespace BuildKit.Solve;

/// <summary>
/// Shows the boot of a builder's node as the first step of the build that waits for it, with a status a step of the boot and a layer of the image (docker/buildx driver,
/// <c>[internal] booting buildkit</c>). Nothing is shown where nothing is booted.
/// </summary>
/// <param name="events">Is told of it.</param>
public sealed class BootProgress(IProgress<SolveEvent> events) : IProgress<BuilderBootEvent>, IDisposable
{
    private readonly Dictionary<string, SolveVertexStatus> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _layers = new(StringComparer.Ordinal);
    private SolveVertex? _vertex;
    private bool _isDisposed;

    /// <inheritdoc/>
    public void Report(BuilderBootEvent value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_open)
        {
            if (_isDisposed)
                return;
            if (_vertex is null)
                Show(LocalVertex.Start("[internal] booting buildkit"));
            if (value.Error is { } error)
                _vertex = _vertex! with { Error = error };
            if (value.Layer is { } layer)
            {
                ShowLayer(layer);
                return;
            }
            if (value.IsCompleted)
                CompleteAll(except: value.Step);
            Show(value.Step, 0, 0, value.IsCompleted);
        }
    }

    /// <summary>Ends the step; what is reported later is not shown.</summary>
    public void Dispose()
    {
        lock (_open)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            if (_vertex is null)
                return;
            CompleteAll(except: null);
            Show(_vertex with { Completed = DateTimeOffset.UtcNow });
        }
    }

    private void ShowLayer(ImagePullEvent layer)
    {
        // What concerns the whole image is the pull's own status.
        if (layer.Layer is not { } id || layer.Total <= 0)
            return;
        var status = $"{layer.Status.ToLowerInvariant()} {id}";
        if (_layers.TryGetValue(id, out var before) && before != status && _open.TryGetValue(before, out var open))
            Complete(open);
        _layers[id] = status;
        Show(status, layer.Current, layer.Total, layer.Current >= layer.Total);
    }

    /// <summary>Ends what the Engine said no end of.</summary>
    private void CompleteAll(string? except)
    {
        foreach (var status in _open.Values.Where(status => status.Id != except).ToList())
            Complete(status);
    }

    private void Complete(SolveVertexStatus status) => Show(status.Id, status.Current, status.Total, isCompleted: true);

    private void Show(string id, long current, long total, bool isCompleted)
    {
        var now = DateTimeOffset.UtcNow;
        var started = _open.TryGetValue(id, out var open) ? open.Started : now;
        var status = new SolveVertexStatus(id, _vertex!.Digest, string.Empty, current, total, now, started, isCompleted ? now : null);
        if (isCompleted)
            _open.Remove(id);
        else
            _open[id] = status;
        events.Report(new SolveEvent([], [status], [], []));
    }

    private void Show(SolveVertex vertex)
    {
        _vertex = vertex;
        events.Report(new SolveEvent([vertex], [], [], []));
    }
}
