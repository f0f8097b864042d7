using BuildKit.Solve;

namespace BuildKit.Dockerfile;

/// <summary>What one rule found at one place of a Dockerfile (moby/buildkit frontend/subrequests/lint).</summary>
public sealed record DockerfileLintWarning
{
    /// <summary>The rule, such as <c>StageNameCasing</c>. <c># check=skip=</c> takes this name.</summary>
    public required string RuleName { get; init; }

    /// <summary>What was found here, in a sentence.</summary>
    public string Detail { get; init; } = string.Empty;

    /// <summary>What the rule is about, in a sentence.</summary>
    public string Description { get; init; } = string.Empty;

    /// <summary>Where the rule is explained, or empty.</summary>
    public string Url { get; init; } = string.Empty;

    /// <summary>The Dockerfile: its absolute path where it was read on this side, otherwise the frontend's name for it; null where the warning has no place.</summary>
    public string? File { get; init; }

    /// <summary>The first line it is about, 1-based; null where the warning has no place.</summary>
    public int? Line { get; init; }

    /// <summary>The last line it is about; null where the warning has no place.</summary>
    public int? EndLine { get; init; }

    /// <summary>All the lines it is about; none where the warning has no place.</summary>
    public IReadOnlyList<SolveSourceRange> Ranges { get; init; } = [];

    /// <summary>The lines it is about with two before and after, numbered and marked, below the file's name; empty where the warning has no place.</summary>
    public string Excerpt { get; init; } = string.Empty;
}
