namespace BuildKit.Solve;

/// <summary>
/// One message of a build's status stream (<c>moby.buildkit.v1.StatusResponse</c>): what changed since the one before.
/// The same vertex comes again whenever its state changes; the newest wins.
/// </summary>
/// <param name="Vertexes">Steps that appeared, started, finished or failed.</param>
/// <param name="Statuses">Parts of a step with their own progress: a layer that is pulled, a context that is sent.</param>
/// <param name="Logs">Output of steps.</param>
/// <param name="Warnings">What the frontend wants to point out.</param>
public sealed record SolveEvent(
    IReadOnlyList<SolveVertex> Vertexes, IReadOnlyList<SolveVertexStatus> Statuses, IReadOnlyList<SolveVertexLog> Logs, IReadOnlyList<SolveVertexWarning> Warnings);

/// <summary>A vertex of the build graph.</summary>
/// <param name="Digest">Its identity, <c>sha256:…</c>.</param>
/// <param name="Inputs">The digests of the vertexes it needs.</param>
/// <param name="Name">Its name for a person, such as <c>[build 2/3] RUN make</c>.</param>
/// <param name="Started">When it began, or null.</param>
/// <param name="Completed">When it ended, well or not, or null.</param>
/// <param name="Cached">Whether its result came from the cache.</param>
/// <param name="Error">Why it failed; empty where it did not.</param>
/// <param name="ProgressGroup">The group in which it is shown, or null.</param>
public sealed record SolveVertex(
    string Digest, IReadOnlyList<string> Inputs, string Name, DateTimeOffset? Started, DateTimeOffset? Completed, bool Cached, string Error,
    SolveProgressGroup? ProgressGroup);

/// <summary>Vertexes that are shown as one, such as those of a <c>COPY --link</c>.</summary>
/// <param name="Id">The group's identity; names need not be unique.</param>
/// <param name="Name">Its name for a person.</param>
/// <param name="Weak">Whether the group is not worth showing as long as only vertexes that carry this mark have started.</param>
public sealed record SolveProgressGroup(string Id, string Name, bool Weak);

/// <summary>A part of a vertex with progress of its own.</summary>
/// <param name="Id">What it is about, such as <c>transferring context:</c> or a layer's digest.</param>
/// <param name="Vertex">The digest of the vertex it belongs to.</param>
/// <param name="Name">An optional name for a person.</param>
/// <param name="Current">How far it is, in bytes where it moves bytes.</param>
/// <param name="Total">How far it will go, in the same unit; 0 where that is not known.</param>
/// <param name="Timestamp">When this was so.</param>
/// <param name="Started">When it began, or null.</param>
/// <param name="Completed">When it ended, or null.</param>
public sealed record SolveVertexStatus(
    string Id, string Vertex, string Name, long Current, long Total, DateTimeOffset Timestamp, DateTimeOffset? Started, DateTimeOffset? Completed);

/// <summary>A piece of a vertex's output; pieces need not end with a line.</summary>
/// <param name="Vertex">The digest of the vertex that wrote it.</param>
/// <param name="Stream">1 for standard output, 2 for standard error.</param>
/// <param name="Data">The bytes, UTF-8 as a rule.</param>
/// <param name="Timestamp">When it was written.</param>
public sealed record SolveVertexLog(string Vertex, int Stream, ReadOnlyMemory<byte> Data, DateTimeOffset Timestamp);

/// <summary>A warning of the frontend, such as a lint rule of the Dockerfile.</summary>
/// <param name="Vertex">The digest of the vertex it is about.</param>
/// <param name="Level">Its weight as the frontend gives it; 1 for lint rules.</param>
/// <param name="Short">The warning in a line.</param>
/// <param name="Detail">More lines, or none.</param>
/// <param name="Url">Where the rule is explained, or empty.</param>
/// <param name="Source">The lines it is about, or null.</param>
public sealed record SolveVertexWarning(string Vertex, int Level, string Short, IReadOnlyList<string> Detail, string Url, SolveSource? Source);

/// <summary>A place in a source file, with the file.</summary>
/// <param name="FileName">The file as the frontend names it, <c>Dockerfile</c> as a rule.</param>
/// <param name="Text">The whole text of the file.</param>
/// <param name="Ranges">The lines it is about, 1-based and inclusive.</param>
public sealed record SolveSource(string FileName, string Text, IReadOnlyList<SolveSourceRange> Ranges)
{
    /// <summary>The language that the file is written in, <c>Dockerfile</c> as a rule; empty where the frontend does not say.</summary>
    public string Language { get; init; } = string.Empty;

    /// <summary>How the daemon got at the file, as LLB; null where it did not say.</summary>
    internal Protocol.Llb.Definition? Definition { get; init; }

    /// <summary>The lines it is about with two before and after, each numbered and the lines themselves marked with <c>&gt;&gt;&gt;</c>; empty where there are none.</summary>
    /// <returns>Lines separated by <c>\n</c>, the first of which names file and line.</returns>
    public string Excerpt()
    {
        var lines = Text.Replace("\r\n", "\n", StringComparison.Ordinal).TrimEnd('\n').Split('\n');
        var marked = Ranges.Where(range => range.StartLine >= 1 && range.StartLine <= lines.Length).ToList();
        if (marked.Count == 0)
            return string.Empty;
        var first = marked.Min(range => range.StartLine);
        var last = Math.Min(marked.Max(range => range.EndLine), lines.Length);
        var text = new System.Text.StringBuilder($"{FileName}:{first}");
        for (var number = Math.Max(1, first - 2); number <= Math.Min(lines.Length, last + 2); number++)
        {
            var marker = marked.Any(range => range.StartLine <= number && number <= range.EndLine) ? ">>>" : "   ";
            text.Append($"\n{number,4} | {marker} {lines[number - 1]}");
        }
        return text.ToString();
    }
}

/// <summary>Lines of a source file, 1-based and inclusive.</summary>
/// <param name="StartLine">The first line.</param>
/// <param name="EndLine">The last line.</param>
public readonly record struct SolveSourceRange(int StartLine, int EndLine)
{
    /// <summary>Where it begins in the first line, 0-based; 0 where the frontend does not say.</summary>
    public int StartCharacter { get; init; }

    /// <summary>Where it ends in the last line, 0-based; 0 where the frontend does not say.</summary>
    public int EndCharacter { get; init; }
}
