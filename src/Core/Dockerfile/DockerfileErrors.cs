using BuildKit.Solve;

namespace BuildKit.Dockerfile;

/// <summary>Makes the error of a Dockerfile that can't be built, as a failed build would have it.</summary>
internal static class DockerfileErrors
{
    /// <param name="message">The frontend's words.</param>
    /// <param name="place">The lines it is about, or null.</param>
    /// <param name="origin">The Dockerfile.</param>
    /// <param name="inner">The error of the call, or null.</param>
    public static SolveFailedException Create(string message, SolveSource? place, DockerfileOrigin origin, Exception? inner)
    {
        var row = SolveErrorTable.Find(message);
        var excerpt = place?.Excerpt();
        return new SolveFailedException(row.ErrorId, row.Category, string.IsNullOrEmpty(excerpt) ? message : $"{message}\n\n{excerpt}", row.RecommendedAction, inner)
        {
            SourceLocation = place,
            Target = origin.File(),
        };
    }
}
