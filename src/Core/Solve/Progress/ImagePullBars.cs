using System.Globalization;
using BuildKit.Docker;

namespace BuildKit.Solve.Progress;

/// <summary>Shows a pull as bars: one for the image, and below it one for every layer that something is done with. All members are called from one thread at a time.</summary>
public sealed class ImagePullBars
{
    private readonly string _title;
    private readonly TimeProvider _clock;
    private readonly ShownBars _shown;
    private readonly DateTimeOffset _started;
    private readonly Dictionary<string, Layer> _layers = new(StringComparer.Ordinal);
    private string? _status;
    private DateTimeOffset _lastShown;

    /// <summary>Creates the bars.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="show">Takes a bar that is new or has changed.</param>
    /// <param name="clock">The time; null for the system's.</param>
    public ImagePullBars(string reference, Action<ProgressBar> show, TimeProvider? clock = null)
    {
        _title = $"Pulling {reference}";
        _shown = new ShownBars(show);
        _clock = clock ?? TimeProvider.System;
        _started = _clock.GetUtcNow();
    }

    /// <summary>Takes in what happened and shows it, unless something was shown a moment ago.</summary>
    /// <param name="pullEvent">What happened.</param>
    public void Update(ImagePullEvent pullEvent)
    {
        ArgumentNullException.ThrowIfNull(pullEvent);
        if (pullEvent.Layer is not { } id)
            _status = pullEvent.Status;
        else if (_layers.TryGetValue(id, out var layer))
            layer.Update(pullEvent);
        else
            _layers[id] = new Layer(_layers.Count + 1, pullEvent);
        if (_clock.GetUtcNow() - _lastShown >= IProgressDisplay.RefreshInterval)
            Refresh();
    }

    /// <summary>Shows what has not been shown yet. To be called every <see cref="IProgressDisplay.RefreshInterval"/> or so.</summary>
    public void Refresh()
    {
        _lastShown = _clock.GetUtcNow();
        var done = _layers.Values.Count(layer => layer.IsDone);
        var (current, total) = (_layers.Values.Sum(layer => layer.Downloaded), _layers.Values.Sum(layer => layer.Size));
        var elapsed = string.Create(CultureInfo.InvariantCulture, $"{(_lastShown - _started).TotalSeconds:F1}s");
        var parts = new[]
        {
            _layers.Count > 0 ? $"{done}/{_layers.Count} layers" : _status,
            total > 0 ? $"{ByteSize.Format(current)} / {ByteSize.Format(total)}" : null,
            elapsed,
        };
        _shown.Show(new ProgressBar(
            0, _title, string.Join("  ", parts.Where(part => part is not null)), null, _layers.Count == 0 ? null : 100 * done / _layers.Count, IsCompleted: false));
        foreach (var (id, layer) in _layers)
        {
            if (layer.IsBusy)
                _shown.Show(new ProgressBar(layer.Id, id, layer.Text, null, layer.Percent, IsCompleted: false));
            else
                _shown.TakeAway(layer.Id);
        }
    }

    /// <summary>Takes the bars away. To be called at the end, however the pull ended.</summary>
    public void Complete() => _shown.TakeAllAway();

    /// <summary>A layer, by the words of moby (daemon/internal/distribution, daemon/containerd/progress.go).</summary>
    private sealed class Layer
    {
        private string _status = "";
        private long _current;
        private long _total;

        public Layer(int id, ImagePullEvent first)
        {
            Id = id;
            Update(first);
        }

        public int Id { get; }

        public bool IsDone => _status is "Pull complete" or "Already exists";

        public bool IsBusy => !IsDone && _status is not ("Pulling fs layer" or "Waiting" or "Download complete");

        /// <summary>Bytes, once they are known.</summary>
        public long Size { get; private set; }

        public long Downloaded { get; private set; }

        public int? Percent => _total > 0 ? (int)Math.Clamp(100.0 * _current / _total, 0, 100) : null;

        public string Text => _total > 0 ? $"{_status} {ByteSize.Format(_current)} / {ByteSize.Format(_total)}" : _status;

        public void Update(ImagePullEvent news)
        {
            (_status, _current, _total) = (news.Status, news.Current, news.Total);
            if (_status == "Downloading")
                (Downloaded, Size) = (_current, Math.Max(_total, Size));
            else if (Size > 0 && _status is not ("Waiting" or "Pulling fs layer") && !_status.StartsWith("Retrying", StringComparison.Ordinal))
                Downloaded = Size;
        }
    }
}
