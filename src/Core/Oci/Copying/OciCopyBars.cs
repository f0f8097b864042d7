using System.Globalization;
using BuildKit.Solve.Progress;

namespace BuildKit.Oci.Copying;

/// <summary>Shows a copy as bars: one for the image, and below it one for every blob that is on its way. All members are called from one thread at a time.</summary>
public sealed class OciCopyBars
{
    private const int ShortDigest = 19;

    private readonly string _title;
    private readonly TimeProvider _clock;
    private readonly ShownBars _shown;
    private readonly DateTimeOffset _started;
    private readonly Dictionary<string, (int Id, OciCopyEvent Last)> _blobs = new(StringComparer.Ordinal);
    private DateTimeOffset _lastShown;

    /// <summary>Creates the bars.</summary>
    /// <param name="source">The image.</param>
    /// <param name="show">Takes a bar that is new or has changed.</param>
    /// <param name="clock">The time; null for the system's.</param>
    public OciCopyBars(string source, Action<ProgressBar> show, TimeProvider? clock = null)
    {
        _title = $"Copying {source}";
        _shown = new ShownBars(show);
        _clock = clock ?? TimeProvider.System;
        _started = _clock.GetUtcNow();
    }

    /// <summary>Takes in what happened and shows it, unless something was shown a moment ago.</summary>
    /// <param name="copyEvent">What happened.</param>
    public void Update(OciCopyEvent copyEvent)
    {
        ArgumentNullException.ThrowIfNull(copyEvent);
        _blobs[copyEvent.Digest] = (_blobs.TryGetValue(copyEvent.Digest, out var known) ? known.Id : _blobs.Count + 1, copyEvent);
        if (_clock.GetUtcNow() - _lastShown >= IProgressDisplay.RefreshInterval)
            Refresh();
    }

    /// <summary>Shows what has not been shown yet. To be called every <see cref="IProgressDisplay.RefreshInterval"/> or so.</summary>
    public void Refresh()
    {
        _lastShown = _clock.GetUtcNow();
        var elapsed = string.Create(CultureInfo.InvariantCulture, $"{(_lastShown - _started).TotalSeconds:F1}s");
        var status = elapsed;
        int? percent = null;
        if (_blobs.Count > 0)
        {
            var (count, total) = (_blobs.First().Value.Last.Blobs, _blobs.First().Value.Last.TotalSize);
            var done = _blobs.Values.Count(blob => blob.Last.State != OciCopyState.Copying);
            var current = _blobs.Values.Sum(blob => blob.Last.Current);
            status = $"{done}/{count} blobs  {ByteSize.Format(current)} / {ByteSize.Format(total)}  {elapsed}";
            percent = total > 0 ? (int)Math.Clamp(100.0 * current / total, 0, 100) : null;
        }
        _shown.Show(new ProgressBar(0, _title, status, null, percent, IsCompleted: false));
        foreach (var (digest, (id, last)) in _blobs)
        {
            if (last.State == OciCopyState.Copying)
                _shown.Show(new ProgressBar(
                    id, digest.Length > ShortDigest ? digest[..ShortDigest] : digest, $"{ByteSize.Format(last.Current)} / {ByteSize.Format(last.Size)}", null,
                    last.Size > 0 ? (int)Math.Clamp(100.0 * last.Current / last.Size, 0, 100) : null, IsCompleted: false));
            else
                _shown.TakeAway(id);
        }
    }

    /// <summary>Takes the bars away. To be called at the end, however the copy ended.</summary>
    public void Complete() => _shown.TakeAllAway();
}
