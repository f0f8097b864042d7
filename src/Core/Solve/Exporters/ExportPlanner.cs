using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Exporters;

/// <summary>
/// Turns the outputs of a request into exporters of one kind of daemon, by <see cref="ExporterTable"/> and with buildx's meaning
/// (docker/buildx build/opt.go, commands/build.go).
/// </summary>
internal static class ExportPlanner
{
    private const string NoDefaultLoad = "BUILDX_NO_DEFAULT_LOAD";

    /// <summary>Whether an image may go into an Engine's store where no output is named.</summary>
    public static bool AllowsDefaultLoad => GoBoolean.Parse(Environment.GetEnvironmentVariable(NoDefaultLoad)) != true;

    /// <summary>Adds the exports of a request, in the order asked for; <c>cacheonly</c> is left out.</summary>
    /// <exception cref="BuildKitException">An output that is unknown, incomplete or impossible on this daemon.</exception>
    public static void AddTo(SolvePlan plan, SolveRequest request, SolveDaemon daemon)
    {
        if (request.Platforms.Count > 1 && daemon.Store == DaemonStore.EngineGraphdriver)
            throw OutputErrors.SeveralPlatforms();
        var exports = Outputs(request, daemon)
            .Where(output => output.Row.Format != ExporterFormat.None)
            .Select(output => Plan(output.Output, output.Row, request, plan, daemon))
            .ToList();
        RefuseSharedDestinations(exports);
        plan.Exports.AddRange(exports);
    }

    /// <summary>What was asked for, and what the switches and the daemon's default add.</summary>
    private static List<(SolveOutput Output, ExporterRow Row)> Outputs(SolveRequest request, SolveDaemon daemon)
    {
        var outputs = request.Outputs.Select(WithRow).ToList();
        if (outputs.Count == 0 && daemon.IsEngine && AllowsDefaultLoad)
            outputs.Add(Added("image"));
        if (request.Push && !outputs.Exists(output => output.Row.Push != ExporterPush.None))
            outputs.Add(Added("image"));
        if (request.Load && !outputs.Exists(output => output.Row.LoadsIntoEngine))
            outputs.Add(Added("docker"));
        return outputs;

        (SolveOutput Output, ExporterRow Row) WithRow(SolveOutput output) => (output, FindRow(output, daemon.Store));
        (SolveOutput Output, ExporterRow Row) Added(string type) => WithRow(new SolveOutput { Type = type });
    }

    private static ExporterRow FindRow(SolveOutput output, DaemonStore daemon)
    {
        var rows = ExporterTable.Find(output.Type, daemon).ToList();
        if (rows.Count == 0)
            throw OutputErrors.Unknown(output.Type);
        var isLayout = GoBoolean.Parse(output.Attributes.GetValueOrDefault("tar")) == false && rows.Exists(row => row.Destination == ExporterDestination.Layout);
        var hasDestination = output.Destination is not null || output.Stream is not null;
        var row = rows.Find(row => isLayout ? row.Destination == ExporterDestination.Layout : TakesDestination(row) == hasDestination && row.Destination != ExporterDestination.Layout);
        if (row is null)
            throw hasDestination ? OutputErrors.NoDestination(rows[0], output.Destination) : OutputErrors.MissingDestination(rows[0]);
        if (!row.Supported)
            throw OutputErrors.NotSupported(row);
        if (isLayout && !hasDestination)
            throw OutputErrors.MissingDestination(row);
        RefuseWrongKind(row, output);
        return row;
    }

    private static bool TakesDestination(ExporterRow row) =>
        row.Destination is ExporterDestination.Directory or ExporterDestination.File or ExporterDestination.Layout;

    private static void RefuseWrongKind(ExporterRow row, SolveOutput output)
    {
        var isFile = row.Destination == ExporterDestination.File;
        if (output.Stream is not null && !isFile)
            throw OutputErrors.NotToStream(row);
        if (isFile && Directory.Exists(output.Destination))
            throw OutputErrors.IsDirectory(row, output.Destination);
        if (!isFile && File.Exists(output.Destination))
            throw OutputErrors.IsFile(row, output.Destination);
    }

    private static PlannedExport Plan(SolveOutput output, ExporterRow row, SolveRequest request, SolvePlan plan, SolveDaemon daemon)
    {
        if (row.HoldsOneImage && request.Platforms.Count > 1)
            throw OutputErrors.NoIndex(row, "several platforms");
        if (row.HoldsOneImage && request.Attestations.Any(attestation => !attestation.Disabled))
            throw OutputErrors.NoIndex(row, "attestations");
        if (row.Format == ExporterFormat.Local && output.Attributes.GetValueOrDefault("mode") == "delete")
            throw OutputErrors.DeleteMode(output.Destination);

        var attributes = ExportAttributes.Compose(row, output, request, plan.Warnings);
        if (row.Push == ExporterPush.ByEngine && ExportAttributes.Pushes(row, attributes))
            plan.AfterSolve.Add(new EnginePush(ExportAttributes.Names(attributes), daemon.Config));
        return new PlannedExport(row.Type, row.WireName, attributes, row.Destination, output.Destination) { Stream = output.Stream };
    }

    private static void RefuseSharedDestinations(List<PlannedExport> exports)
    {
        var comparer = OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        var shared = exports.Where(export => export.Destination is not null)
            .GroupBy(export => Path.TrimEndingDirectorySeparator(export.Destination!), comparer).FirstOrDefault(group => group.Count() > 1);
        if (shared is not null)
            throw OutputErrors.SharedDestination(shared.Key);
        if (exports.Where(export => export.Stream is not null).GroupBy(export => export.Stream).Any(group => group.Count() > 1))
            throw OutputErrors.SharedStream();
    }
}
