namespace BuildKit.Tests;

/// <summary>Keeps the news that something told, from whatever threads.</summary>
/// <param name="told">Is called before the teller goes on.</param>
internal sealed class Recorder<T>(Action<T>? told = null) : IProgress<T>
{
    private readonly List<T> _events = [];

    public IReadOnlyList<T> Events
    {
        get
        {
            lock (_events)
                return _events.ToList();
        }
    }

    public void Report(T value)
    {
        lock (_events)
            _events.Add(value);
        told?.Invoke(value);
    }
}
