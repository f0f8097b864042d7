using System.Text.Json.Serialization;

namespace BuildKit.Docker;

/// <summary>What a <c>docker-credential-…</c> program answers to <c>get</c> (docker/docker-credential-helpers). Its text shows nothing of it.</summary>
internal sealed record CredentialHelperResponse
{
    public string? Username { get; init; }

    public string? Secret { get; init; }

    public override string ToString() => nameof(CredentialHelperResponse);
}

/// <summary>How it is read, without reflection at run time. Go matches names whatever their case.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CredentialHelperResponse))]
internal sealed partial class CredentialJson : JsonSerializerContext;
