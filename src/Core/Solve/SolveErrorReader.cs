using System.Text;
using System.Text.RegularExpressions;
using BuildKit.Grpc;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve;

/// <summary>Turns the error of a <c>Solve</c> call into one that names the vertex, the exit code, the Dockerfile's lines and the last log lines.</summary>
internal static partial class SolveErrorReader
{
    private const int LogLines = 20;

    /// <summary>The error to throw in place of a failed call's.</summary>
    /// <param name="error">How the call ended.</param>
    /// <param name="journal">What was seen of the build until then.</param>
    /// <param name="solveRef">The build's reference.</param>
    /// <param name="builder">The builder's name, for errors of the connection.</param>
    /// <param name="daemon">The kind of daemon, on which the advice depends.</param>
    public static BuildKitException Read(RpcException error, SolveJournal journal, string solveRef, string builder, DaemonStore daemon)
    {
        if (error.StatusCode == StatusCode.Unavailable)
            return new BuildKitException(
                "BuildKit.ConnectionLost", BuildKitErrorCategory.Connection, $"The connection to '{builder}' broke while the build ran: {error.Status.Detail}",
                "Check that the daemon is running (its log may say why it stopped), then build again: finished steps are cached.", error)
            { Target = builder };

        var details = SolveErrorDetails.Read(error);
        var vertex = journal.Find(details.Vertex) ?? journal.FindFailed();
        var logs = journal.LastLines(vertex?.Digest, LogLines);
        var row = SolveErrorTable.Find(error.Status.Detail, logs);
        return new SolveFailedException(
            row.ErrorId, row.Category, Compose(error.Status.Detail, vertex, details.Source, logs), row.ActionFor(error.Status.Detail, daemon), error)
        {
            Vertex = vertex?.Name,
            ExitCode = details.ExitCode ?? ExitCodeIn(error.Status.Detail),
            SourceLocation = details.Source,
            Logs = logs,
            Ref = solveRef,
            Target = vertex?.Name,
        };
    }

    // Daemons before 0.11 send the exit code in words only.
    private static int? ExitCodeIn(string message)
    {
        var match = ExitCodeInWords().Match(message);
        return match.Success && int.TryParse(match.Groups[1].Value, out var code) ? code : null;
    }

    [GeneratedRegex(@"exit code: (\d+)$")]
    private static partial Regex ExitCodeInWords();

    private static string Compose(string message, SolveVertex? vertex, SolveSource? source, IReadOnlyList<string> logs)
    {
        var text = new StringBuilder();
        if (vertex is not null && !message.Contains(vertex.Name, StringComparison.Ordinal))
            text.Append(vertex.Name).Append(": ");
        text.Append(message);
        if (logs.Count > 0)
        {
            text.Append("\n\nThe last lines of the step:");
            foreach (var line in logs)
                text.Append("\n  ").Append(line);
        }
        var excerpt = source?.Excerpt();
        if (!string.IsNullOrEmpty(excerpt))
            text.Append("\n\n").Append(excerpt);
        return text.ToString();
    }
}
