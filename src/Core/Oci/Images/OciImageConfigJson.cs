using System.Text.Json;
using System.Text.Json.Serialization;

namespace BuildKit.Oci.Images;

/// <summary>The configuration of an image as it is written.</summary>
internal sealed record OciImageConfigJson
{
    public string? Architecture { get; init; }

    public string? Os { get; init; }

    public string? Variant { get; init; }

    [JsonPropertyName("os.version")]
    public string? OSVersion { get; init; }

    public DateTimeOffset? Created { get; init; }

    public string? Author { get; init; }

    public OciRunConfigJson? Config { get; init; }

    public OciRootFileSystemJson? RootFs { get; init; }

    public IReadOnlyList<OciHistoryJson?>? History { get; init; }
}

internal sealed record OciRunConfigJson
{
    public string? User { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? ExposedPorts { get; init; }

    public IReadOnlyList<string>? Env { get; init; }

    public IReadOnlyList<string>? Entrypoint { get; init; }

    public IReadOnlyList<string>? Cmd { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? Volumes { get; init; }

    public string? WorkingDir { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    public string? StopSignal { get; init; }

    public IReadOnlyList<string>? Shell { get; init; }

    public IReadOnlyList<string>? OnBuild { get; init; }

    public OciHealthcheckJson? Healthcheck { get; init; }
}

internal sealed record OciHealthcheckJson
{
    public IReadOnlyList<string>? Test { get; init; }
}

internal sealed record OciRootFileSystemJson
{
    [JsonPropertyName("diff_ids")]
    public IReadOnlyList<string>? DiffIds { get; init; }
}

internal sealed record OciHistoryJson
{
    public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    public string? Author { get; init; }

    public string? Comment { get; init; }

    [JsonPropertyName("empty_layer")]
    public bool EmptyLayer { get; init; }
}

/// <summary>How documents about images are read, without reflection at run time. Go matches names whatever their case.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(OciImageConfigJson))]
[JsonSerializable(typeof(InTotoStatementJson))]
[JsonSerializable(typeof(DsseEnvelopeJson))]
[JsonSerializable(typeof(SpdxDocumentJson))]
internal sealed partial class OciImageJson : JsonSerializerContext;
