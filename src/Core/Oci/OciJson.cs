using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Oci;

/// <summary>JSON documents of the OCI, read and written so that what nobody here changes stays as it is, byte by byte.</summary>
internal static class OciJson
{
    // As Go writes them: a '+' in a media type stays a '+'.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const int MaxMembers = 1000;

    private static readonly string[] KnownKeys = [OciDescriptor.RefNameAnnotation, OciDescriptor.ImageNameAnnotation, "org.opencontainers.image.created"];

    /// <summary>The members of an object in their order, their values as they are written.</summary>
    /// <exception cref="FormatException">It is no JSON object, or two of its members have one name: readers do not agree which of them counts.</exception>
    public static List<OciMember> Members(ReadOnlyMemory<byte> utf8) => Guard(utf8, static utf8 =>
    {
        var reader = new Utf8JsonReader(utf8.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("it is not a JSON object");
        var members = new List<OciMember>(8);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            DemandOnce(members, name);
            var begin = (int)reader.TokenStartIndex;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var end = (int)reader.BytesConsumed;
            members.Add(new OciMember(name, utf8[start..end], utf8[begin..end]));
        }
        // Whatever follows is an error, which only reading on shows.
        reader.Read();
        return members;
    });

    /// <summary>Throws where a member of that name is there, or where there are more of them than any document has.</summary>
    /// <exception cref="FormatException">It is.</exception>
    public static void DemandOnce(List<OciMember> members, string name)
    {
        if (members.Exists(member => member.Name == name))
            throw new FormatException($"it has '{name}' twice");
        if (members.Count == MaxMembers)
            throw new FormatException($"it has more than {MaxMembers} fields");
    }

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

    /// <summary>Reads a text where a reader stands; null is none.</summary>
    /// <exception cref="FormatException">It is no text.</exception>
    public static string? ReadText(ref Utf8JsonReader reader, string name) => reader.TokenType switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.String => reader.GetString(),
        _ => throw new FormatException($"its '{name}' is no text"),
    };

    /// <summary>Reads a map of texts, such as annotations, where a reader stands; null is an empty one.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Dictionary<string, string> ReadMap(ref Utf8JsonReader reader, string name)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (reader.TokenType == JsonTokenType.Null)
            return map;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException($"its '{name}' is no object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = KnownKey(ref reader) ?? reader.GetString()!;
            reader.Read();
            if (!map.TryAdd(key, ReadText(ref reader, key) ?? string.Empty))
                throw new FormatException($"its '{name}' has '{key}' twice");
        }
        return map;
    }

    /// <summary>A map of texts; null is an empty one.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Dictionary<string, string> Map(in OciMember map)
    {
        var name = map.Name;
        return Guard(map.Value, utf8 =>
        {
            var reader = new Utf8JsonReader(utf8.Span);
            reader.Read();
            return ReadMap(ref reader, name);
        });
    }

    /// <summary>Every digest that a document names, wherever; none where it is no JSON.</summary>
    public static HashSet<OciDigest> DigestsIn(ReadOnlySpan<byte> utf8)
    {
        var digests = new HashSet<OciDigest>();
        try
        {
            var reader = new Utf8JsonReader(utf8);
            while (reader.Read())
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && OciDigest.TryParse(reader.GetString(), out var digest))
                    digests.Add(digest);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What comes before the place that is no JSON may be meant all the same.
        }
        return digests;
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

    public static byte[] ToBytes(JsonObject json)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Writing))
            json.WriteTo(writer);
        return stream.ToArray();
    }

    /// <summary>Writes what is JSON already between brackets, with commas.</summary>
    public static void Join(ArrayBufferWriter<byte> to, byte open, IEnumerable<ReadOnlyMemory<byte>> items, byte close)
    {
        to.Write([open]);
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst)
                to.Write(","u8);
            isFirst = false;
            to.Write(item.Span);
        }
        to.Write([close]);
    }

    /// <summary>Reads a document; whatever is wrong with its JSON is a <see cref="FormatException"/> that tells where.</summary>
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

    // A large index has these thousands of times.
    private static string? KnownKey(ref Utf8JsonReader reader)
    {
        foreach (var key in KnownKeys)
            if (reader.ValueTextEquals(key))
                return key;
        return null;
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
