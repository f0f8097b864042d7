using System.Text.Json.Serialization;

namespace BuildKit.Registry.Auth;

/// <summary>What a registry's token server answers, to a GET (<c>token</c>) and to a POST (<c>access_token</c>); both may be set. Its text shows nothing of it.</summary>
internal sealed record TokenServerResponse
{
    [JsonPropertyName("token")]
    public string? Token { get; init; }

    [JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    [JsonPropertyName("expires_in")]
    public long ExpiresIn { get; init; }

    [JsonPropertyName("issued_at")]
    public string? IssuedAt { get; init; }

    public override string ToString() => nameof(TokenServerResponse);
}

/// <summary>How it is read, without reflection at run time. Go matches names whatever their case.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, NumberHandling = JsonNumberHandling.AllowReadingFromString, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(TokenServerResponse))]
internal sealed partial class TokenServerJson : JsonSerializerContext;
