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
        SolveResponse response, SolveJournal journal, IReadOnlyList<SolveOutputResult> outputs, string builder, string solveRef, TimeSpan duration) => new()
        {
            ImageDigest = response.ExporterResponse.GetValueOrDefault(ImageDigestKey),
            ConfigDigest = response.ExporterResponse.GetValueOrDefault(ConfigDigestKey),
            Tags = response.ExporterResponse.GetValueOrDefault(ImageNameKey)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
            Outputs = outputs,
            Builder = builder,
            Ref = solveRef,
            Duration = duration,
            Steps = journal.Steps(),
            Warnings = [.. journal.Warnings],
            ExporterResponse = new Dictionary<string, string>(response.ExporterResponse),
        };

    private static string? GetValueOrDefault(this Google.Protobuf.Collections.MapField<string, string> map, string key) =>
        map.TryGetValue(key, out var value) && value.Length > 0 ? value : null;
}
