using System.Text.RegularExpressions;

namespace BuildKit.Solve;

/// <summary>A warning that a build left, such as one of the Dockerfile's lint rules.</summary>
public sealed partial record SolveWarning
{
    /// <summary>The lint rule that gave it, such as <c>FromAsCasing</c>; null for other warnings.</summary>
    public string? RuleName { get; init; }

    /// <summary>The warning in a line; the rule's name stands before it.</summary>
    public required string Short { get; init; }

    /// <summary>What the rule demands, in lines; empty where there is no more to say.</summary>
    public IReadOnlyList<string> Detail { get; init; } = [];

    /// <summary>Where the rule is explained; null where it is not.</summary>
    public string? Url { get; init; }

    /// <summary>The file that it is about, as the frontend names it; null for a warning that is about none.</summary>
    public string? File { get; init; }

    /// <summary>The first line that it is about, 1-based; null for none.</summary>
    public int? Line { get; init; }

    /// <summary>The last line that it is about, 1-based; null for none.</summary>
    public int? EndLine { get; init; }

    /// <summary>These lines with two before and after, numbered, the lines themselves marked with <c>&gt;&gt;&gt;</c>; null for none.</summary>
    public string? Excerpt { get; init; }

    /// <summary>Its weight as the frontend gives it; 1 for lint rules.</summary>
    public int Level { get; init; }

    /// <summary>The warning with its place, <c>Dockerfile:3: FromAsCasing: …</c>.</summary>
    public override string ToString() => File is null ? Short : Line is null ? $"{File}: {Short}" : $"{File}:{Line}: {Short}";

    internal static SolveWarning From(SolveVertexWarning warning)
    {
        var ranges = warning.Source?.Ranges.Where(range => range.StartLine > 0).ToList() ?? [];
        return new SolveWarning
        {
            RuleName = warning.Source is not null && Rule().Match(warning.Short) is { Success: true } rule ? rule.Groups[1].Value : null,
            Short = warning.Short,
            Detail = warning.Detail,
            Url = NullIfEmpty(warning.Url),
            File = NullIfEmpty(warning.Source?.FileName),
            Line = ranges.Count > 0 ? ranges.Min(range => range.StartLine) : null,
            EndLine = ranges.Count > 0 ? ranges.Max(range => range.EndLine) : null,
            Excerpt = NullIfEmpty(warning.Source?.Excerpt()),
            Level = warning.Level,
        };
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    // moby/buildkit frontend/dockerfile/linter writes "RuleName: message".
    [GeneratedRegex(@"^([A-Z][A-Za-z0-9]+): ", RegexOptions.CultureInvariant)]
    private static partial Regex Rule();
}
