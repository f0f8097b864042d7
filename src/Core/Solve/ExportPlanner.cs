using BuildKit.Docker;

namespace BuildKit.Solve;

/// <summary>Turns the outputs of a request into exporters of one kind of daemon, by <see cref="ExporterTable"/>.</summary>
internal static class ExportPlanner
{
    /// <summary>The exports of a request, in the order asked for; <c>cacheonly</c> is left out.</summary>
    /// <exception cref="BuildKitException">An output that is unknown, incomplete or impossible on this daemon.</exception>
    public static IReadOnlyList<PlannedExport> Plan(SolveRequest request, DaemonStore daemon)
    {
        var outputs = request.Outputs.ToList();
        if (outputs.Count == 0 && daemon != DaemonStore.Buildkitd)
            outputs.Add(new SolveOutput { Type = "image" });
        if (request.Load && !outputs.Any(output => LoadsIntoEngine(output, daemon)))
            outputs.Add(new SolveOutput { Type = "docker" });
        if (request.Platforms.Count > 1 && daemon == DaemonStore.EngineGraphdriver)
            throw new BuildKitException(
                "BuildKit.MultiPlatformNotSupported", BuildKitErrorCategory.NotSupported,
                "This Engine keeps its images in the classic store, which holds one platform an image; it can't build for several platforms at once.",
                "Switch the Engine to the containerd image store (\"features\": {\"containerd-snapshotter\": true} in daemon.json), build with a standalone buildkitd, or name one platform.");

        var exports = outputs.Select(output => PlanOne(output, request, daemon)).Where(export => export.WireName is not null).ToList();
        RefuseSharedDestinations(exports);
        return exports;
    }

    private static bool LoadsIntoEngine(SolveOutput output, DaemonStore daemon) =>
        output.Destination is null && ExporterTable.Find(output.Type, daemon).Any(row => row.LoadsIntoEngine);

    private static PlannedExport PlanOne(SolveOutput output, SolveRequest request, DaemonStore daemon)
    {
        var rows = ExporterTable.Find(output.Type, daemon).ToList();
        if (rows.Count == 0)
            throw new BuildKitException(
                "BuildKit.OutputUnknown", BuildKitErrorCategory.InvalidArgument, $"There is no output of type '{output.Type}'.",
                $"Use one of: {string.Join(", ", ExporterTable.Types)}.")
            { Target = output.Type };

        var row = rows.FirstOrDefault(candidate => candidate.Destination == ExporterDestination.None == (output.Destination is null));
        if (row is null)
            throw output.Destination is null ? MissingDestination(rows[0]) : NoDestination(rows[0], output.Destination);
        if (!row.Supported)
            throw new BuildKitException(
                "BuildKit.OutputNotSupported", BuildKitErrorCategory.NotSupported,
                $"The output '{row.Type}'{(output.Destination is null ? "" : " to a file")} can't be had from this daemon: {row.Reason}.", row.WayOut)
            { Target = output.Type };
        RefuseWrongKind(row, output.Destination);

        var attributes = new Dictionary<string, string>(row.Attributes ?? new Dictionary<string, string>());
        foreach (var (key, value) in output.Attributes)
            attributes[key] = value;
        if (row.TakesName && request.Tags.Count > 0)
            attributes["name"] = string.Join(',', request.Tags.Select(ImageReference.Normalize));
        return new PlannedExport(row.Type, row.WireName, attributes, row.Destination, output.Destination);
    }

    private static BuildKitException MissingDestination(ExporterRow row) =>
        new("BuildKit.OutputNeedsDestination", BuildKitErrorCategory.InvalidArgument,
            $"The output '{row.Type}' needs a destination: {(row.Destination == ExporterDestination.Directory ? "a directory" : "a file")}.",
            $"Add it: -Output type={row.Type},dest={(row.Destination == ExporterDestination.Directory ? "out" : "out.tar")}.")
        { Target = row.Type };

    private static BuildKitException NoDestination(ExporterRow row, string destination) =>
        new("BuildKit.OutputTakesNoDestination", BuildKitErrorCategory.InvalidArgument,
            $"The output '{row.Type}' is kept by the daemon and takes no destination.", "Leave out dest, or use type=local, tar, oci or docker.")
        { Target = destination };

    private static void RefuseWrongKind(ExporterRow row, string? destination)
    {
        if (row.Destination == ExporterDestination.File && Directory.Exists(destination))
            throw new BuildKitException(
                "BuildKit.OutputIsDirectory", BuildKitErrorCategory.InvalidArgument,
                $"The output '{row.Type}' is one file, but '{destination}' is a directory.", "Name a file in that directory as dest.")
            { Target = destination };
        if (row.Destination == ExporterDestination.Directory && File.Exists(destination))
            throw new BuildKitException(
                "BuildKit.OutputIsFile", BuildKitErrorCategory.InvalidArgument,
                $"The output '{row.Type}' is a directory, but '{destination}' is a file.", "Name another directory as dest, or use type=tar.")
            { Target = destination };
    }

    private static void RefuseSharedDestinations(List<PlannedExport> exports)
    {
        var shared = exports.Where(export => export.Destination is not null).GroupBy(export => export.Destination).FirstOrDefault(group => group.Count() > 1);
        if (shared is not null)
            throw new BuildKitException(
                "BuildKit.OutputDestinationTwice", BuildKitErrorCategory.InvalidArgument, $"Two outputs have the same destination '{shared.Key}'.",
                "Give each output a destination of its own.")
            { Target = shared.Key };
    }
}
