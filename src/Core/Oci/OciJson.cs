using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Oci;

/// <summary>JSON documents of the OCI, read and written so that what nobody here changes stays as it is, byte by byte.</summary>
internal static class OciJson
{
    // As Go writes them: a '+' in a media type stays a '+'.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The members of an object in their order, their values as they are written.</summary>
    /// <exception cref="FormatException">It is no JSON object, or two of its members have one name: readers do not agree which of them counts.</exception>
    public static List<OciMember> Members(ReadOnlyMemory<byte> utf8) => Guard(utf8, static utf8 =>
    {
        var reader = new Utf8JsonReader(utf8.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("it is not a JSON object");
        var members = new List<OciMember>(8);
        HashSet<string>? names = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            // A set costs more than it saves for the few members that objects have as a rule.
            if (members.Count == 16)
                names = members.Select(member => member.Name).ToHashSet(StringComparer.Ordinal);
            if (names is null ? members.Exists(member => member.Name == name) : !names.Add(name))
                throw new FormatException($"it has '{name}' twice");
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            members.Add(new OciMember(name, utf8[start..(int)reader.BytesConsumed]));
        }
        // Whatever follows is an error, which only reading on shows.
        reader.Read();
        return members;
    });

    /// <summary>The items of an array as they are written; null is an empty one.</summary>
    /// <exception cref="FormatException">It is no array.</exception>
    public static List<ReadOnlyMemory<byte>> Items(in OciMember array)
    {
        if (array.IsNull)
            return [];
        var name = array.Name;
        return Guard(array.Value, utf8 =>
        {
            var reader = new Utf8JsonReader(utf8.Span);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
                throw new FormatException($"its '{name}' are no array");
            var items = new List<ReadOnlyMemory<byte>>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                items.Add(utf8[start..(int)reader.BytesConsumed]);
            }
            return items;
        });
    }

    /// <summary>A map of texts, such as annotations; null is an empty one.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Dictionary<string, string> Map(in OciMember map)
    {
        if (map.IsNull)
            return [];
        try
        {
            return Members(map.Value).ToDictionary(member => member.Name, member => member.Text() ?? string.Empty, StringComparer.Ordinal);
        }
        catch (FormatException e)
        {
            throw new FormatException($"'{map.Name}': {e.Message}", e);
        }
    }

    /// <summary>A document to be changed.</summary>
    /// <exception cref="FormatException">It is no JSON object.</exception>
    public static JsonObject ParseObject(ReadOnlyMemory<byte> utf8) => Guard(utf8, static utf8 =>
    {
        if (JsonNode.Parse(utf8.Span) is not JsonObject json)
            throw new FormatException("it is not a JSON object");
        // A name that is there twice shows only when the members are first counted.
        Touch(json);
        return json;
    });

    /// <summary>The same members in a given order; those that are not in it follow.</summary>
    public static JsonObject InOrder(JsonObject json, ReadOnlySpan<string> order)
    {
        var result = new JsonObject();
        foreach (var name in order)
            Move(name);
        foreach (var (name, _) in json.ToList())
            Move(name);
        return result;

        void Move(string name)
        {
            if (!json.TryGetPropertyValue(name, out var value))
                return;
            // A node belongs to one parent.
            json.Remove(name);
            result[name] = value;
        }
    }

    public static byte[] ToBytes(JsonObject json) => Write(writer => json.WriteTo(writer));

    /// <summary>Writes a document.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Writing))
            write(writer);
        return buffer.WrittenSpan.ToArray();
    }

    [SuppressMessage("Design", "CA1031", Justification = "The reader has several exceptions for bytes that are no text.")]
    internal static T Guard<T>(ReadOnlyMemory<byte> utf8, Func<ReadOnlyMemory<byte>, T> read)
    {
        try
        {
            return read(utf8);
        }
        catch (JsonException e)
        {
            throw new FormatException($"it is no valid JSON{Position(e)}: {WithoutPosition(e.Message)}", e);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new FormatException($"it is no valid JSON: {e.Message}", e);
        }
    }

    // Both are counted from 1, as editors do.
    private static string Position(JsonException e) =>
        e is { LineNumber: { } line, BytePositionInLine: { } at } ? $" at line {line + 1}, byte {at + 1}" : string.Empty;

    private static string WithoutPosition(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private static void Touch(JsonNode? node)
    {
        if (node is JsonObject json)
            foreach (var (_, value) in json)
                Touch(value);
        else if (node is JsonArray array)
            foreach (var item in array)
                Touch(item);
    }
}
