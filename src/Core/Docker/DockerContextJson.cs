using System.Text.Json.Serialization;

namespace BuildKit.Docker;

/// <summary>A docker context's <c>meta.json</c> (docker/cli <c>cli/context/store</c>), as far as it is used.</summary>
internal sealed record DockerContextJson
{
    public string? Name { get; init; }

    public Dictionary<string, EndpointJson?>? Endpoints { get; init; }

    internal sealed record EndpointJson
    {
        public string? Host { get; init; }

        [JsonPropertyName("SkipTLSVerify")]
        public bool SkipTlsVerify { get; init; }
    }
}
