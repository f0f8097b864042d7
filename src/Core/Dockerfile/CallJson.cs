using System.Text.Json;
using System.Text.Json.Serialization;

namespace BuildKit.Dockerfile;

/// <summary>The frontend's answers as they come in <c>result.json</c> (moby/buildkit frontend/subrequests), as far as they are used. Go omits what is empty.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, PropertyNameCaseInsensitive = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(LintJson))]
[JsonSerializable(typeof(TargetsJson))]
[JsonSerializable(typeof(OutlineJson))]
internal sealed partial class CallJson : JsonSerializerContext
{
}

internal sealed record LintJson(IReadOnlyList<LintJson.Warning>? Warnings, IReadOnlyList<SourceJson>? Sources, LintJson.Error? BuildError)
{
    internal sealed record Warning(string? RuleName, string? Description, string? Url, string? Detail, LocationJson? Location);

    internal sealed record Error(string? Message, LocationJson? Location);
}

internal sealed record TargetsJson(IReadOnlyList<TargetsJson.Target>? Targets)
{
    internal sealed record Target(string? Name, bool Default, string? Description, string? Base, string? Platform, LocationJson? Location);
}

internal sealed record OutlineJson(
    string? Name, string? Description, IReadOnlyList<OutlineJson.Arg>? Args, IReadOnlyList<OutlineJson.Mount>? Secrets, IReadOnlyList<OutlineJson.Mount>? Ssh,
    IReadOnlyList<OutlineJson.CacheMount>? Cache)
{
    internal sealed record Arg(string? Name, string? Description, string? Value, LocationJson? Location);

    internal sealed record Mount(string? Name, bool Required, LocationJson? Location);

    internal sealed record CacheMount(string? Id, LocationJson? Location);
}

/// <summary>A file with its text in base64.</summary>
internal sealed record SourceJson(string? Filename, byte[]? Data);

/// <summary>Lines of one of the sources.</summary>
internal sealed record LocationJson(int SourceIndex, IReadOnlyList<LocationJson.Range>? Ranges)
{
    internal sealed record Range(Position? Start, Position? End);

    internal sealed record Position(int Line);
}
