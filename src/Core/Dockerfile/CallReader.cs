using System.Text;
using BuildKit.Solve;

namespace BuildKit.Dockerfile;

/// <summary>Turns the frontend's answers into records.</summary>
internal static class CallReader
{
    public static DockerfileLint Lint(LintJson json, DockerfileOrigin origin)
    {
        var warnings = (json.Warnings ?? []).Select(warning => Warning(warning, json.Sources, origin))
            .OrderBy(warning => warning.File, StringComparer.Ordinal).ThenBy(warning => warning.Line).ToList();
        var error = json.BuildError is { } failed ? DockerfileErrors.Create(failed.Message ?? string.Empty, Place(failed.Location, json.Sources), origin, null) : null;
        return new DockerfileLint(warnings, error);
    }

    public static IReadOnlyList<DockerfileTarget> Targets(TargetsJson json, DockerfileOrigin origin) => (json.Targets ?? []).Select(target => new DockerfileTarget
    {
        Name = target.Name ?? string.Empty,
        Default = target.Default,
        Description = target.Description ?? string.Empty,
        Base = target.Base ?? string.Empty,
        Platform = string.IsNullOrEmpty(target.Platform) ? null : target.Platform,
        File = origin.File(),
        Line = Line(target.Location),
    }).ToList();

    public static DockerfileOutline Outline(OutlineJson json, DockerfileOrigin origin)
    {
        var file = origin.File();
        return new DockerfileOutline
        {
            Name = json.Name ?? string.Empty,
            Description = json.Description ?? string.Empty,
            Args = (json.Args ?? [])
                .Select(arg => new DockerfileOutlineArg(arg.Name ?? string.Empty, arg.Value, arg.Description ?? string.Empty, file, Line(arg.Location))).ToList(),
            Secrets = Mounts(json.Secrets),
            Ssh = Mounts(json.Ssh),
            Caches = (json.Cache ?? []).Select(cache => new DockerfileOutlineMount(cache.Id ?? string.Empty, false, file, Line(cache.Location))).ToList(),
            File = file,
        };

        List<DockerfileOutlineMount> Mounts(IReadOnlyList<OutlineJson.Mount>? mounts) =>
            (mounts ?? []).Select(mount => new DockerfileOutlineMount(mount.Name ?? string.Empty, mount.Required, file, Line(mount.Location))).ToList();
    }

    private static DockerfileLintWarning Warning(LintJson.Warning json, IReadOnlyList<SourceJson>? sources, DockerfileOrigin origin)
    {
        var place = Place(json.Location, sources);
        return new DockerfileLintWarning
        {
            RuleName = json.RuleName ?? string.Empty,
            Detail = json.Detail ?? string.Empty,
            Description = json.Description ?? string.Empty,
            Url = json.Url ?? string.Empty,
            File = place is null ? null : origin.File(place.FileName),
            Line = place?.Ranges[0].StartLine,
            EndLine = place?.Ranges[^1].EndLine,
            Ranges = (place?.Ranges ?? []).ToList(),
            Excerpt = place?.Excerpt() ?? string.Empty,
        };
    }

    /// <summary>A place in one of the answer's sources; null where the frontend names none.</summary>
    private static SolveSource? Place(LocationJson? location, IReadOnlyList<SourceJson>? sources)
    {
        var ranges = Ranges(location);
        if (ranges.Count == 0 || location!.SourceIndex < 0 || location.SourceIndex >= (sources?.Count ?? 0))
            return null;
        var source = sources![location.SourceIndex];
        return new SolveSource(source.Filename ?? string.Empty, Encoding.UTF8.GetString(source.Data ?? []), ranges);
    }

    private static int? Line(LocationJson? location) => Ranges(location) is [var first, ..] ? first.StartLine : null;

    private static List<SolveSourceRange> Ranges(LocationJson? location) =>
        (location?.Ranges ?? [])
            .Select(range => new SolveSourceRange(range.Start?.Line ?? 0, Math.Max(range.Start?.Line ?? 0, range.End?.Line ?? 0)))
            .Where(range => range.StartLine > 0).ToList();
}
