using System.Text.Json;

namespace BuildKit.Oci;

/// <summary>A member of a JSON object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value as it is written.</param>
internal readonly record struct OciMember(string Name, ReadOnlyMemory<byte> Value)
{
    public bool IsNull => Value.Span is [(byte)'n', ..];

    /// <summary>A text; null is none.</summary>
    /// <exception cref="FormatException">It is no text.</exception>
    public string? Text()
    {
        var name = Name;
        return IsNull ? null : OciJson.Guard(Value, value =>
        {
            var reader = new Utf8JsonReader(value.Span);
            reader.Read();
            return reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new FormatException($"its '{name}' is no text");
        });
    }

    /// <summary>A whole number that is not negative; null where it is anything else.</summary>
    public long? Size()
    {
        var reader = new Utf8JsonReader(Value.Span);
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var size) && size >= 0 ? size : null;
    }
}
