using BuildKit.Solve;
using BuildKit.Solve.Exporters;

namespace BuildKit.Diagnosis.Checks;

/// <summary>The outputs that the daemon has: by the table, and where it is asked for by trying each of them.</summary>
internal static class ExporterCheck
{
    public static async Task<Finding> RunAsync(Subject subject, CancellationToken cancellationToken)
    {
        var connection = subject.Connection!;
        var exporters = BuildKitExporter.List(connection);
        var missing = exporters.Where(exporter => !exporter.Supported).ToList();
        var told = $"{Names(exporters.Where(exporter => exporter.Supported))} can be had";
        var without = missing.Count > 0 ? $"; {Names(missing)} can't, because {missing[0].Reason} (see ImageStore)" : string.Empty;
        if (!subject.Request.Probe)
            return Finding.Pass($"{told}{without}. Known by the kind of daemon; -Probe tries each.");

        var probed = await ExporterProbe.RunAsync(connection, exporters, cancellationToken).ConfigureAwait(false);
        // A row that the table refuses is proven by the daemon's refusal.
        var wrong = probed.Where(exporter => exporter.Supported && exporter.Probed != true).ToList();
        return wrong.Count == 0
            ? Finding.Pass($"{told}{without}. Each was tried.")
            : Finding.Fail(
                $"{Names(wrong)} failed when tried: {wrong[0].ProbeError}",
                "'Get-BuildKitExporter -Probe' shows each of them; the daemon's log may say more.", "BuildKit.ExporterNotProven");
    }

    private static string Names(IEnumerable<BuildKitExporter> exporters) =>
        string.Join(", ", exporters.GroupBy(exporter => exporter.Name).Select(ways => Ways(ways.Key, ways.ToList())));

    private static string Ways(string name, List<BuildKitExporter> ways) =>
        ways.All(way => way.Destination == ExporterDestination.None) || ways.Count > 2 || name is "local" or "tar" or "cacheonly"
            ? name : $"{name} ({string.Join(", ", ways.Select(way => way.Destination.ToString().ToLowerInvariant()))})";
}
