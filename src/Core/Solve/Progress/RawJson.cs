using System.Globalization;
using System.Text;
using System.Text.Json;
using BuildKit.Protocol.Llb;
using Google.Protobuf;

namespace BuildKit.Solve.Progress;

/// <summary>
/// Events as Go writes them: moby/buildkit <c>client.SolveStatus</c> by encoding/json, with its names, its order, what it leaves out when empty, base64 for bytes and RFC 3339 for times.
/// </summary>
internal static class RawJson
{
    public static void Write(Utf8JsonWriter writer, SolveEvent solveEvent)
    {
        writer.WriteStartObject();
        WriteList(writer, "vertexes", solveEvent.Vertexes, WriteVertex);
        WriteList(writer, "statuses", solveEvent.Statuses, WriteStatus);
        WriteList(writer, "logs", solveEvent.Logs, WriteLog);
        WriteList(writer, "warnings", solveEvent.Warnings, static (writer, warning) => WriteWarning(writer, warning, withDefinition: true));
        writer.WriteEndObject();
    }

    /// <summary>Writes warnings as a list.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="warnings">The warnings.</param>
    /// <param name="withDefinition">Whether it says how the daemon got at the source file.</param>
    public static void WriteWarnings(Utf8JsonWriter writer, IReadOnlyList<SolveVertexWarning> warnings, bool withDefinition)
    {
        writer.WriteStartArray();
        foreach (var warning in warnings)
            WriteWarning(writer, warning, withDefinition);
        writer.WriteEndArray();
    }

    private static void WriteVertex(Utf8JsonWriter writer, SolveVertex vertex)
    {
        writer.WriteStartObject();
        WriteText(writer, "digest", vertex.Digest);
        WriteList(writer, "inputs", vertex.Inputs, static (writer, input) => writer.WriteStringValue(input));
        WriteText(writer, "name", vertex.Name);
        WriteTime(writer, "started", vertex.Started);
        WriteTime(writer, "completed", vertex.Completed);
        WriteFlag(writer, "cached", vertex.Cached);
        WriteText(writer, "error", vertex.Error);
        if (vertex.ProgressGroup is { } group)
        {
            writer.WriteStartObject("progressGroup");
            WriteText(writer, "id", group.Id);
            WriteText(writer, "name", group.Name);
            WriteFlag(writer, "weak", group.Weak);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void WriteStatus(Utf8JsonWriter writer, SolveVertexStatus status)
    {
        writer.WriteStartObject();
        writer.WriteString("id", status.Id);
        WriteText(writer, "vertex", status.Vertex);
        WriteText(writer, "name", status.Name);
        WriteNumber(writer, "total", status.Total);
        writer.WriteNumber("current", status.Current);
        WriteTime(writer, "timestamp", status.Timestamp);
        WriteTime(writer, "started", status.Started);
        WriteTime(writer, "completed", status.Completed);
        writer.WriteEndObject();
    }

    private static void WriteLog(Utf8JsonWriter writer, SolveVertexLog log)
    {
        writer.WriteStartObject();
        WriteText(writer, "vertex", log.Vertex);
        WriteNumber(writer, "stream", log.Stream);
        if (log.Data.IsEmpty)
            writer.WriteNull("data");
        else
            writer.WriteBase64String("data", log.Data.Span);
        WriteTime(writer, "timestamp", log.Timestamp);
        writer.WriteEndObject();
    }

    private static void WriteWarning(Utf8JsonWriter writer, SolveVertexWarning warning, bool withDefinition)
    {
        writer.WriteStartObject();
        WriteText(writer, "vertex", warning.Vertex);
        WriteNumber(writer, "level", warning.Level);
        WriteBytes(writer, "short", warning.Short);
        WriteList(writer, "detail", warning.Detail, static (writer, line) => writer.WriteBase64StringValue(Encoding.UTF8.GetBytes(line)));
        WriteText(writer, "url", warning.Url);
        if (warning.Source is { } source)
        {
            writer.WriteStartObject("sourceInfo");
            WriteText(writer, "filename", source.FileName);
            WriteBytes(writer, "data", source.Text);
            if (withDefinition && source.Definition is { } definition)
            {
                writer.WritePropertyName("definition");
                WriteDefinition(writer, definition);
            }
            WriteText(writer, "language", source.Language);
            writer.WriteEndObject();
            WriteList(writer, "range", source.Ranges, WriteRange);
        }
        writer.WriteEndObject();
    }

    private static void WriteRange(Utf8JsonWriter writer, SolveSourceRange range)
    {
        writer.WriteStartObject();
        WritePosition(writer, "start", range.StartLine, range.StartCharacter);
        WritePosition(writer, "end", range.EndLine, range.EndCharacter);
        writer.WriteEndObject();
    }

    private static void WritePosition(Utf8JsonWriter writer, string name, int line, int character)
    {
        writer.WriteStartObject(name);
        WriteNumber(writer, "line", line);
        WriteNumber(writer, "character", character);
        writer.WriteEndObject();
    }

    private static void WriteDefinition(Utf8JsonWriter writer, Definition definition)
    {
        writer.WriteStartObject();
        WriteList(writer, "def", definition.Def, WriteBytes);
        WriteMap(writer, "metadata", definition.Metadata, WriteOpMetadata);
        if (definition.Source is { } source)
        {
            writer.WriteStartObject("Source");
            WriteMap(writer, "locations", source.Locations, static (writer, locations) =>
            {
                writer.WriteStartObject();
                WriteList(writer, "locations", locations.Locations_, WriteLocation);
                writer.WriteEndObject();
            });
            WriteList(writer, "infos", source.Infos, WriteSourceInfo);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void WriteOpMetadata(Utf8JsonWriter writer, OpMetadata metadata)
    {
        writer.WriteStartObject();
        WriteFlag(writer, "ignore_cache", metadata.IgnoreCache);
        WriteMap(writer, "description", metadata.Description, static (writer, text) => writer.WriteStringValue(text));
        WriteMap(writer, "caps", metadata.Caps, static (writer, needed) => writer.WriteBooleanValue(needed));
        if (metadata.ProgressGroup is { } group)
        {
            writer.WriteStartObject("progress_group");
            WriteText(writer, "id", group.Id);
            WriteText(writer, "name", group.Name);
            WriteFlag(writer, "weak", group.Weak);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void WriteLocation(Utf8JsonWriter writer, Location location)
    {
        writer.WriteStartObject();
        WriteNumber(writer, "sourceIndex", location.SourceIndex);
        WriteList(writer, "ranges", location.Ranges, static (writer, range) => WriteRange(
            writer, new SolveSourceRange(range.Start?.Line ?? 0, range.End?.Line ?? 0) { StartCharacter = range.Start?.Character ?? 0, EndCharacter = range.End?.Character ?? 0 }));
        writer.WriteEndObject();
    }

    private static void WriteSourceInfo(Utf8JsonWriter writer, SourceInfo info)
    {
        writer.WriteStartObject();
        WriteText(writer, "filename", info.Filename);
        if (!info.Data.IsEmpty)
            writer.WriteBase64String("data", info.Data.Span);
        if (info.Definition is { } definition)
        {
            writer.WritePropertyName("definition");
            WriteDefinition(writer, definition);
        }
        WriteText(writer, "language", info.Language);
        writer.WriteEndObject();
    }

    private static void WriteBytes(Utf8JsonWriter writer, ByteString bytes) => writer.WriteBase64StringValue(bytes.Span);

    private static void WriteBytes(Utf8JsonWriter writer, string name, string text)
    {
        if (text.Length > 0)
            writer.WriteBase64String(name, Encoding.UTF8.GetBytes(text));
    }

    private static void WriteList<T>(Utf8JsonWriter writer, string name, IReadOnlyCollection<T> items, Action<Utf8JsonWriter, T> write)
    {
        if (items.Count == 0)
            return;
        writer.WriteStartArray(name);
        foreach (var item in items)
            write(writer, item);
        writer.WriteEndArray();
    }

    private static void WriteMap<T>(Utf8JsonWriter writer, string name, ICollection<KeyValuePair<string, T>> members, Action<Utf8JsonWriter, T> write)
    {
        if (members.Count == 0)
            return;
        writer.WriteStartObject(name);
        foreach (var (key, value) in members.OrderBy(member => member.Key, StringComparer.Ordinal))
        {
            writer.WritePropertyName(key);
            write(writer, value);
        }
        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string text)
    {
        if (text.Length > 0)
            writer.WriteString(name, text);
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, long number)
    {
        if (number != 0)
            writer.WriteNumber(name, number);
    }

    private static void WriteFlag(Utf8JsonWriter writer, string name, bool flag)
    {
        if (flag)
            writer.WriteBoolean(name, true);
    }

    // Go's RFC3339Nano, to the 100 ns that .NET knows.
    private static void WriteTime(Utf8JsonWriter writer, string name, DateTimeOffset? time)
    {
        if (time is { } known)
            writer.WriteString(name, known.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));
    }
}
