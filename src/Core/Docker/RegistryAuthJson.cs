using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BuildKit.Docker;

/// <summary>Credentials as an Engine takes them for one call, in the header <c>X-Registry-Auth</c> (moby <c>api/types/registry.AuthConfig</c>). Its text shows none of them.</summary>
internal sealed record RegistryAuthJson
{
    public const string Header = "X-Registry-Auth";

    [JsonPropertyName("username")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Username { get; init; }

    [JsonPropertyName("password")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Password { get; init; }

    [JsonPropertyName("serveraddress")]
    public required string ServerAddress { get; init; }

    [JsonPropertyName("identitytoken")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? IdentityToken { get; init; }

    [JsonPropertyName("registrytoken")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RegistryToken { get; init; }

    /// <summary>The header's value: base64url (RFC 4648, section 5) of the JSON.</summary>
    /// <param name="host">The registry as the docker config names it.</param>
    /// <param name="auth">Its credentials; an empty set for none.</param>
    public static string Encode(string host, DockerAuthConfig auth)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(
            new RegistryAuthJson
            {
                Username = auth.Username,
                Password = auth.Password,
                ServerAddress = host,
                IdentityToken = auth.IdentityToken,
                RegistryToken = auth.RegistryToken,
            },
            DockerJson.Default.RegistryAuthJson);
        var text = Convert.ToBase64String(json).Replace('+', '-').Replace('/', '_');
        CryptographicOperations.ZeroMemory(json);
        return text;
    }

    public override string ToString() => nameof(RegistryAuthJson);
}
