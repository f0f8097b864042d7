using BuildKit.Solve.Exporters;
using BuildKit.Solve.Provenance;

namespace BuildKit.Solve;

/// <summary>Puts together what a finished build gave.</summary>
internal static class SolveResultReader
{
    // moby/buildkit exporter/containerimage/exptypes.
    public const string ImageDigestKey = "containerimage.digest";
    public const string ConfigDigestKey = "containerimage.config.digest";
    private const string ImageNameKey = "image.name";

    public static BuildKitSolveResult Read(
        IReadOnlyDictionary<string, string> response, SolveJournal journal, IReadOnlyList<PlannedExport> exports, IReadOnlyList<SolveOutputResult> outputs,
        IReadOnlyList<ProvenancePredicate> provenance, string builder, string solveRef, TimeSpan duration) => new()
        {
            ImageDigest = NotEmpty(response, ImageDigestKey),
            ConfigDigest = NotEmpty(response, ConfigDigestKey),
            Tags = Names(response, exports)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
            Outputs = outputs,
            Builder = builder,
            Ref = solveRef,
            Duration = duration,
            Steps = journal.Steps(),
            Warnings = journal.Warnings.Select(SolveWarning.From).ToList(),
            Provenance = provenance.Select(ProvenanceReader.Read).ToList(),
            ExporterResponse = response,
        };

    // Engines before 23 do not say which names they gave.
    private static string? Names(IReadOnlyDictionary<string, string> response, IReadOnlyList<PlannedExport> exports) =>
        NotEmpty(response, ImageNameKey)
        ?? exports.Select(export => export.Attributes.GetValueOrDefault("name")).FirstOrDefault(name => !string.IsNullOrEmpty(name));

    private static string? NotEmpty(IReadOnlyDictionary<string, string> map, string key) => map.TryGetValue(key, out var value) && value.Length > 0 ? value : null;
}
