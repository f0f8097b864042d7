namespace BuildKit.Solve;

/// <summary>The build ran on the daemon and failed there: a step, the Dockerfile, the frontend or an exporter.</summary>
public sealed class SolveFailedException : BuildKitException
{
    /// <summary>Creates the error of a failed build.</summary>
    /// <param name="errorId">A stable name, <c>BuildKit.SolveFailed</c> or a narrower one.</param>
    /// <param name="category">The kind of trouble.</param>
    /// <param name="message">What failed, in the daemon's words.</param>
    /// <param name="recommendedAction">What to do next, or null.</param>
    /// <param name="innerException">The error of the call.</param>
    public SolveFailedException(
        string errorId, BuildKitErrorCategory category, string message, string? recommendedAction = null, Exception? innerException = null)
        : base(errorId, category, message, recommendedAction, innerException)
    {
    }

    /// <summary>The name of the vertex that failed, such as <c>[build 2/3] RUN make</c>; null where no vertex did.</summary>
    public string? Vertex { get; init; }

    /// <summary>The exit code of the process that failed, or null where none did.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The lines of the Dockerfile that failed, or null.</summary>
    public SolveSource? SourceLocation { get; init; }

    /// <summary>The last lines that the failing vertex wrote.</summary>
    public IReadOnlyList<string> Logs { get; init; } = [];

    /// <summary>The build's reference on the daemon, or null.</summary>
    public string? Ref { get; init; }
}
