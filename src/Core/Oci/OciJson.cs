using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Oci;

/// <summary>JSON documents of the OCI, read and written so that fields nobody here knows survive.</summary>
internal static class OciJson
{
    // As Go writes them: a '+' in a media type stays a '+'.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="FormatException">It is no JSON object.</exception>
    public static JsonObject ParseObject(ReadOnlySpan<byte> utf8)
    {
        try
        {
            if (JsonNode.Parse(utf8) is not JsonObject json)
                throw new FormatException("it is not a JSON object");
            // A name that is there twice shows only when the members are first counted.
            Touch(json);
            return json;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new FormatException($"it is no valid JSON: {e.Message}", e);
        }
    }

    public static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

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
