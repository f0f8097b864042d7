using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Oci;

/// <summary>JSON with every byte as Go's encoding/json writes it, for documents whose digest has to be that of another tool's.</summary>
internal static class GoJson
{
    /// <summary>The text with an indent of two spaces (json.MarshalIndent).</summary>
    public static byte[] ToIndentedBytes(JsonNode json)
    {
        var text = new StringBuilder();
        Write(json, text, "\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(JsonNode? node, StringBuilder text, string line)
    {
        switch (node)
        {
            case JsonObject json:
                WriteAll(json, text, '{', '}', line, (member, inner) =>
                {
                    WriteString(member.Key, text);
                    text.Append(": ");
                    Write(member.Value, text, inner);
                });
                break;
            case JsonArray array:
                WriteAll(array, text, '[', ']', line, (item, inner) => Write(item, text, inner));
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                WriteString(value.GetValue<string>(), text);
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }
    }

    private static void WriteAll<T>(ICollection<T> items, StringBuilder text, char open, char close, string line, Action<T, string> write)
    {
        text.Append(open);
        var inner = line + "  ";
        var isFirst = true;
        foreach (var item in items)
        {
            text.Append(isFirst ? "" : ",").Append(inner);
            isFirst = false;
            write(item, inner);
        }
        if (!isFirst)
            text.Append(line);
        text.Append(close);
    }

    // encoding/json, appendString with escapeHTML
    private static void WriteString(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' or '\\' => text.Append('\\').Append(c),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }
}
