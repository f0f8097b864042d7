using System.Text.Json;
using System.Text.Json.Serialization;

namespace BuildKit.Docker;

/// <summary>How the Engine's JSON and the docker CLI's files are read, without reflection at run time. Go matches names whatever their case.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ErrorResponse))]
[JsonSerializable(typeof(VersionResponse))]
[JsonSerializable(typeof(SystemInfoResponse))]
[JsonSerializable(typeof(ImageInspectResponse))]
[JsonSerializable(typeof(JSONMessage))]
[JsonSerializable(typeof(PlatformJson))]
[JsonSerializable(typeof(DistributionInspectResponse))]
[JsonSerializable(typeof(ExecCreateParameters))]
[JsonSerializable(typeof(ExecCreateResponse))]
[JsonSerializable(typeof(ExecStartParameters))]
[JsonSerializable(typeof(ExecInspectResponse))]
[JsonSerializable(typeof(CreateContainerParameters))]
[JsonSerializable(typeof(CreateContainerResponse))]
[JsonSerializable(typeof(ContainerInspectResponse))]
[JsonSerializable(typeof(RegistryAuthJson))]
[JsonSerializable(typeof(DockerConfigJson))]
[JsonSerializable(typeof(DockerContextJson))]
internal sealed partial class DockerJson : JsonSerializerContext
{
    /// <summary>The place of an error as a person counts lines, without the text around it, which may be a credential.</summary>
    public static string Position(JsonException exception) =>
        $"line {exception.LineNumber + 1 ?? 1}, position {exception.BytePositionInLine + 1 ?? 1}"
        + (string.IsNullOrEmpty(exception.Path) || exception.Path == "$" ? string.Empty : $" (at {exception.Path})");
}

internal sealed record ErrorResponse(string? Message);
