using System.Collections;
using System.Text.RegularExpressions;

namespace BuildKit.Module.Completion;

/// <summary>The Dockerfile that the parameters typed so far mean.</summary>
internal static partial class BoundDockerfile
{
    /// <summary>Its text; an empty one where there is none.</summary>
    public static string Text(IDictionary bound)
    {
        var dockerfile = bound["Dockerfile"]?.ToString();
        if (dockerfile?.Contains('\n', StringComparison.Ordinal) == true)
            return dockerfile;
        var path = dockerfile is null ? InContext(bound["Context"]?.ToString() ?? ".") : Completions.PathOf(dockerfile);
        try
        {
            return path is null ? "" : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    // A context may be a Dockerfile itself, and the lower-case name is accepted where the usual one is missing.
    private static string? InContext(string context)
    {
        var path = Completions.PathOf(context);
        return path is null || File.Exists(path) ? path : Array.Find([Path.Combine(path, "Dockerfile"), Path.Combine(path, "dockerfile")], File.Exists);
    }

    /// <summary>The ids of its mounts of a type.</summary>
    /// <param name="bound">The parameters.</param>
    /// <param name="type">The type.</param>
    /// <param name="defaultId">The id of a mount that names none; null for the name of its target (moby/buildkit frontend/dockerfile).</param>
    public static IEnumerable<string> MountIds(IDictionary bound, string type, string? defaultId) =>
        Mount().Matches(Text(bound)).Select(static mount => Options(mount.Groups["options"].Value))
            .Where(options => options.GetValueOrDefault("type") == type)
            .Select(options => options.GetValueOrDefault("id") ?? defaultId ?? Path.GetFileName(options.GetValueOrDefault("target")))
            .OfType<string>()
            .Distinct();

    private static Dictionary<string, string> Options(string mount)
    {
        var options = new Dictionary<string, string>();
        foreach (var option in mount.Split(','))
            if (option.Split('=', 2) is [var name, var value])
                options[name is "dst" or "destination" ? "target" : name] = value;
        return options;
    }

    [GeneratedRegex(@"--mount=(?<options>\S+)")]
    private static partial Regex Mount();
}
