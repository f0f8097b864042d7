namespace BuildKit.Solve.Exporters;

/// <summary>How one row of <see cref="ExporterTable"/> is proven.</summary>
/// <param name="WireName">The exporter to name; null for none.</param>
/// <param name="Destination">Where its result goes.</param>
internal sealed record ExporterQuestion(string? WireName, ExporterDestination Destination)
{
    private const string NotFound = "could not be found";

    /// <summary>Its attributes on the wire.</summary>
    public Dictionary<string, string> Attributes { get; init; } = [];

    /// <summary>The platforms to build for; null for the daemon's own.</summary>
    public string? Platforms { get; init; }

    /// <summary>Words of an error that only this exporter can have said; null where it has to succeed.</summary>
    public string? Refusal { get; init; }

    /// <summary>The question that proves a row, one way or the other.</summary>
    public static ExporterQuestion For(ExporterRow row)
    {
        // What the daemon can't do is asked for by the name that one would expect it to have.
        var question = new ExporterQuestion(row.Supported ? row.WireName : row.Type, row.Destination);
        return (row.Format, row.Destination) switch
        {
            // moby's exporter for the classic store has no way not to store; it refuses two images itself, before it has stored anything.
            (ExporterFormat.ClassicStore, _) => question with { Platforms = "linux/amd64,linux/arm64", Refusal = "exporting multiple references to image store" },
            (ExporterFormat.ContainerdStore or ExporterFormat.Image, _) => question with { Attributes = new() { ["store"] = "false", ["dangling-name-prefix"] = "" } },
            // It reaches for the layout in the session, which has none.
            (_, ExporterDestination.Layout) => question with { Attributes = new() { ["tar"] = "false" }, Refusal = "containerd.services.content" },
            _ => question,
        };
    }

    /// <summary>What an answer proves.</summary>
    /// <returns>Whether the daemon can do it, null where that can't be told; and the daemon's words where it was not seen to.</returns>
    public (bool? Result, string? Error) Judge(ExporterAnswer answer)
    {
        if (answer.Error is { } error)
        {
            if (Refusal is not null && error.Contains(Refusal, StringComparison.Ordinal))
                return (true, null);
            return (error.Contains(NotFound, StringComparison.Ordinal) ? false : null, error);
        }
        var needsBytes = Destination is ExporterDestination.Directory or ExporterDestination.File or ExporterDestination.Engine;
        if (Refusal is not null || (needsBytes && answer.Bytes == 0))
            return (null, "The daemon reported success, but not as this exporter does.");
        return (true, null);
    }
}
