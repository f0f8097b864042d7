using System.Text.Json;
using System.Text.Json.Serialization;

namespace BuildKit.Docker;

/// <summary>A platform as the Engine's API takes and gives it (image-spec <c>Platform</c>).</summary>
internal sealed record PlatformJson
{
    [JsonPropertyName("os")]
    public string? OS { get; init; }

    [JsonPropertyName("architecture")]
    public string? Architecture { get; init; }

    [JsonPropertyName("variant")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Variant { get; init; }

    /// <summary>The platform in the one form that can be compared; null where it is not told.</summary>
    public PlatformSpecifier? ToSpecifier() => Specifier(OS, Architecture, Variant);

    /// <summary>The same of an image's three properties.</summary>
    public static PlatformSpecifier? Specifier(string? os, string? architecture, string? variant) =>
        string.IsNullOrEmpty(os) || string.IsNullOrEmpty(architecture) ? null : PlatformSpecifier.Normalize(os, architecture, variant ?? "");

    /// <summary>The JSON text of a platform.</summary>
    public static string Of(PlatformSpecifier platform) => JsonSerializer.Serialize(
        new PlatformJson { OS = platform.BareOS, Architecture = platform.Architecture, Variant = platform.Variant.Length > 0 ? platform.Variant : null },
        DockerJson.Default.PlatformJson);
}
