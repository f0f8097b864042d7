using System.Globalization;
using System.Text.RegularExpressions;
using BuildKit.Solve;
using BuildKit.Solve.Planning;

namespace BuildKit.Dockerfile;

/// <summary>Where the Dockerfile of a call comes from: what its findings name, and where the lines of an error are looked up.</summary>
/// <param name="FrontendName">The frontend's name for it.</param>
/// <param name="LocalPath">Its absolute path, or null where it was not read on this side from a file.</param>
/// <param name="Text">Its text, where the request has it.</param>
internal sealed partial record DockerfileOrigin(string FrontendName, string? LocalPath, string? Text)
{
    public static DockerfileOrigin Of(SolveRequest request, SolvePlan plan)
    {
        var name = plan.FrontendAttributes.GetValueOrDefault("filename", "Dockerfile");
        return new DockerfileOrigin(name, LocalPathOf(request, name), request.DockerfileText);
    }

    /// <summary>What a finding names its file: the path where there is one, because a person can open it.</summary>
    public string File(string? frontendName = null) => LocalPath ?? frontendName ?? FrontendName;

    /// <summary>The line that a message about the Dockerfile names, or null. Requests for targets and outlines tell the place of a syntax error in words only.</summary>
    public SolveSource? PlaceIn(string message)
    {
        var match = LineInWords().Match(message);
        if (!match.Success || !int.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out var line) || ReadText() is not { } text)
            return null;
        return new SolveSource(FrontendName, text, [new SolveSourceRange(line, line)]);
    }

    private static string? LocalPathOf(SolveRequest request, string name)
    {
        if (request.DockerfileText is not null)
            return null;
        if (request.Dockerfile is not null && Path.IsPathFullyQualified(request.Dockerfile))
            return request.Dockerfile;
        return request.Context is null || SolveRequest.IsRemoteContext(request.Context) ? null : Path.Combine(request.Context, name);
    }

    private string? ReadText()
    {
        if (Text is not null || LocalPath is null)
            return Text;
        try
        {
            return System.IO.File.ReadAllText(LocalPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // The error is told without its lines.
        }
    }

    [GeneratedRegex(@"\bparse error on line (\d+):", RegexOptions.CultureInvariant)]
    private static partial Regex LineInWords();
}
