using System.Text.Json.Serialization;

namespace BuildKit.Docker;

/// <summary>The docker CLI's <c>config.json</c> as it is written (docker/cli <c>cli/config/configfile</c>), as far as it is used.</summary>
internal sealed record DockerConfigJson
{
    public Dictionary<string, AuthJson?>? Auths { get; init; }

    public string? CredsStore { get; init; }

    public Dictionary<string, string>? CredHelpers { get; init; }

    public string? CurrentContext { get; init; }

    public Dictionary<string, DockerProxyConfig?>? Proxies { get; init; }

    public Dictionary<string, string>? HttpHeaders { get; init; }

    internal sealed record AuthJson
    {
        public string? Username { get; init; }

        public string? Password { get; init; }

        public string? Auth { get; init; }

        [JsonPropertyName("identitytoken")]
        public string? IdentityToken { get; init; }

        [JsonPropertyName("registrytoken")]
        public string? RegistryToken { get; init; }

        public override string ToString() => nameof(AuthJson);
    }
}
