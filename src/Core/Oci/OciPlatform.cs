using System.Text.Json;

namespace BuildKit.Oci;

/// <summary>What an image runs on (OCI image-spec, image-index.md).</summary>
/// <param name="OS">Such as <c>linux</c>.</param>
/// <param name="Architecture">Go's name, such as <c>arm64</c>.</param>
/// <param name="Variant">Such as <c>v7</c>; null where there is none.</param>
/// <param name="OSVersion">The version of a Windows; null where there is none.</param>
public sealed record OciPlatform(string OS, string Architecture, string? Variant = null, string? OSVersion = null)
{
    /// <summary>What BuildKit gives to manifests that no machine runs: attestations.</summary>
    public static OciPlatform Unknown { get; } = new("unknown", "unknown");

    /// <summary><c>OS/ARCHITECTURE[/VARIANT]</c>, as <c>docker build --platform</c> takes it.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Variant is null ? $"{OS}/{Architecture}" : $"{OS}/{Architecture}/{Variant}";

    /// <summary>Reads the fields of a platform in a JSON text, such as the configuration of an image.</summary>
    /// <exception cref="FormatException">It is no object, or a field is no text.</exception>
    internal static OciPlatform? Parse(ReadOnlyMemory<byte> utf8) => OciJson.Guard(utf8, static utf8 =>
    {
        var reader = new Utf8JsonReader(utf8.Span);
        reader.Read();
        return Read(ref reader);
    });

    /// <summary>Reads a platform where a reader stands; null is none.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal static OciPlatform? Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("its 'platform' is no object");
        string os = "", architecture = "";
        string? variant = null, version = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("os"u8))
                os = Next(ref reader, "os") ?? "";
            else if (reader.ValueTextEquals("architecture"u8))
                architecture = Next(ref reader, "architecture") ?? "";
            else if (reader.ValueTextEquals("variant"u8))
                variant = Next(ref reader, "variant");
            else if (reader.ValueTextEquals("os.version"u8))
                version = Next(ref reader, "os.version");
            else
                reader.Skip();
        }
        return new OciPlatform(os, architecture, variant, version);

        static string? Next(ref Utf8JsonReader reader, string name)
        {
            reader.Read();
            return OciJson.ReadText(ref reader, name) is { Length: > 0 } text ? text : null;
        }
    }
}
