using BuildKit.Protocol.Control;

namespace BuildKit.Solve;

/// <summary>Puts together what a finished build gave.</summary>
internal static class SolveResultReader
{
    // moby/buildkit exporter/containerimage/exptypes.
    private const string ImageDigestKey = "containerimage.digest";
    private const string ConfigDigestKey = "containerimage.config.digest";
    private const string ImageNameKey = "image.name";

    public static BuildKitSolveResult Read(
        SolveResponse response, SolveJournal journal, IReadOnlyList<PlannedExport> exports, IReadOnlyList<SolveOutputResult> outputs, string builder, string solveRef,
        TimeSpan duration) => new()
        {
            ImageDigest = response.ExporterResponse.GetValueOrDefault(ImageDigestKey),
            ConfigDigest = response.ExporterResponse.GetValueOrDefault(ConfigDigestKey),
            Tags = Names(response, exports)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
            Outputs = outputs,
            Builder = builder,
            Ref = solveRef,
            Duration = duration,
            Steps = journal.Steps(),
            Warnings = journal.Warnings.ToList(),
            ExporterResponse = new Dictionary<string, string>(response.ExporterResponse),
        };

    // Engines before 23 do not say which names they gave.
    private static string? Names(SolveResponse response, IReadOnlyList<PlannedExport> exports) =>
        response.ExporterResponse.GetValueOrDefault(ImageNameKey)
        ?? exports.Select(export => export.Attributes.GetValueOrDefault("name")).FirstOrDefault(name => !string.IsNullOrEmpty(name));

    private static string? GetValueOrDefault(this Google.Protobuf.Collections.MapField<string, string> map, string key) =>
        map.TryGetValue(key, out var value) && value.Length > 0 ? value : null;
}
