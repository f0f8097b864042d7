using System.Text.Json;
using System.Text.Json.Serialization;

namespace BuildKit.Registry;

/// <summary>The body of a registry's error (distribution-spec, «Error Codes»).</summary>
internal sealed record RegistryErrorList
{
    public IReadOnlyList<RegistryError?>? Errors { get; init; }
}

internal sealed record RegistryError
{
    public string? Code { get; init; }

    public string? Message { get; init; }

    public JsonElement Detail { get; init; }
}

/// <summary>How it is read, without reflection at run time.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(RegistryErrorList))]
internal sealed partial class RegistryJson : JsonSerializerContext;
