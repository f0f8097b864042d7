using System.Text.Json.Serialization;

namespace BuildKit.Session.Auth;

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

/// <summary>A host's entry in <c>.token_seed</c>. Its text shows nothing of it.</summary>
internal sealed record TokenSeedEntry
{
    public byte[]? Seed { get; init; }

    public override string ToString() => nameof(TokenSeedEntry);
}

/// <summary>How both are read, without reflection at run time. Go matches names whatever their case.</summary>
[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true, NumberHandling = JsonNumberHandling.AllowReadingFromString, GenerationMode = JsonSourceGenerationMode.Metadata, WriteIndented = true)]
[JsonSerializable(typeof(TokenServerResponse))]
[JsonSerializable(typeof(Dictionary<string, TokenSeedEntry>))]
internal sealed partial class TokenJson : JsonSerializerContext;
