using System.Text;
using System.Text.Json;

namespace BuildKit.Oci;

/// <summary>A member of a JSON object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value as it is written.</param>
/// <param name="Raw">All of it as it is written, name and value.</param>
internal readonly record struct OciMember(string Name, ReadOnlyMemory<byte> Value, ReadOnlyMemory<byte> Raw)
{
    /// <summary>A member that was not read.</summary>
    /// <param name="name">Its name, which needs no escapes.</param>
    /// <param name="value">Its value, in JSON.</param>
    public static OciMember Create(string name, string value) => new(name, Encoding.UTF8.GetBytes(value), Encoding.UTF8.GetBytes($"\"{name}\":{value}"));

    public bool IsNull => Value.Span is [(byte)'n', ..];

    /// <summary>A text; null is none.</summary>
    /// <exception cref="FormatException">It is no text.</exception>
    public string? Text()
    {
        var name = Name;
        return OciJson.Guard(Value, value =>
        {
            var reader = new Utf8JsonReader(value.Span);
            reader.Read();
            return OciJson.ReadText(ref reader, name);
        });
    }
}
