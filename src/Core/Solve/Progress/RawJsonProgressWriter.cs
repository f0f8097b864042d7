using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace BuildKit.Solve.Progress;

/// <summary>Writes each event as one line of JSON, as <c>docker buildx build --progress rawjson</c> does.</summary>
/// <param name="writeLine">Takes a line.</param>
public sealed class RawJsonProgressWriter(Action<string> writeLine) : IProgressDisplay
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <inheritdoc/>
    public void Update(SolveEvent solveEvent)
    {
        _buffer.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(_buffer, Options))
            RawJson.Write(writer, solveEvent);
        writeLine(Encoding.UTF8.GetString(_buffer.WrittenSpan));
    }

    /// <inheritdoc/>
    public void Refresh()
    {
    }

    /// <inheritdoc/>
    public void Complete()
    {
    }
}
