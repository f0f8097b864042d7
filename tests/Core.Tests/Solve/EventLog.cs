using System.Collections.Concurrent;
using System.Text;
using BuildKit.Solve;

namespace BuildKit.Tests.Solve;

/// <summary>Keeps a build's events, and lets a test wait for a line of output.</summary>
internal sealed class EventLog : IProgress<SolveEvent>
{
    private readonly StringBuilder _text = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new();

    public string Text
    {
        get
        {
            lock (_text)
                return _text.ToString();
        }
    }

    public void Report(SolveEvent value)
    {
        lock (_text)
        {
            foreach (var log in value.Logs)
                _text.Append(Encoding.UTF8.GetString(log.Data.Span));
        }
        foreach (var (word, source) in _waiting)
            if (Text.Contains(word, StringComparison.Ordinal))
                source.TrySetResult();
    }

    public Task WaitForAsync(string word)
    {
        var source = _waiting.GetOrAdd(word, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (Text.Contains(word, StringComparison.Ordinal))
            source.TrySetResult();
        return source.Task.WaitAsync(Poll.Patience);
    }
}
