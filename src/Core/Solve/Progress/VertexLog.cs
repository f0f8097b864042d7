using System.Buffers;
using System.Text;

namespace BuildKit.Solve.Progress;

/// <summary>Puts the pieces of a vertex's output together to lines. A line without its end is held back until the end comes.</summary>
internal sealed class VertexLog
{
    // A line that never ends must not fill the memory.
    private const int LongestLine = 64 * 1024;

    private readonly Queue<(DateTimeOffset Timestamp, string Text)> _lines = new();
    private readonly ArrayBufferWriter<byte> _partial = new();
    private DateTimeOffset _partialSince;
    private string? _last;

    /// <summary>The newest line, whole or not, with anything in it; or null.</summary>
    public string? Last => PartialText() is var partial && !string.IsNullOrWhiteSpace(partial) ? partial : _last;

    public void Append(SolveVertexLog log)
    {
        var data = log.Data.Span;
        while (data.Length > 0)
        {
            var end = data.IndexOf((byte)'\n');
            if (_partial.WrittenCount == 0)
                _partialSince = log.Timestamp;
            _partial.Write(end < 0 ? data : data[..end]);
            if (end < 0)
            {
                if (_partial.WrittenCount > LongestLine)
                    EndLine();
                break;
            }
            EndLine();
            data = data[(end + 1)..];
        }
    }

    /// <summary>Ends a line that nothing will follow any more.</summary>
    public void Close()
    {
        if (_partial.WrittenCount > 0)
            EndLine();
    }

    /// <summary>Gives the lines that have not been taken yet.</summary>
    public IEnumerable<(DateTimeOffset Timestamp, string Text)> Take()
    {
        while (_lines.TryDequeue(out var line))
            yield return line;
    }

    /// <summary>Forgets lines that nobody is going to take.</summary>
    public void Discard() => _lines.Clear();

    private void EndLine()
    {
        var text = PartialText();
        _partial.ResetWrittenCount();
        _lines.Enqueue((_partialSince, text));
        if (!string.IsNullOrWhiteSpace(text))
            _last = text;
    }

    private string PartialText() => Encoding.UTF8.GetString(_partial.WrittenSpan).TrimEnd('\r');
}
