using BuildKit.Session.FileSend;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>Where the bytes of each exporter go on this side.</summary>
internal static class ExportTargets
{
    /// <summary>Creates the targets of the exports that have one, by the exporter's index in the solve message.</summary>
    /// <param name="exports">The exports.</param>
    /// <param name="events">Is told of what is done on this side once the daemon has succeeded.</param>
    public static Dictionary<int, ExportTarget> Create(IReadOnlyList<PlannedExport> exports, IProgress<SolveEvent> events)
    {
        var targets = new Dictionary<int, ExportTarget>();
        for (var index = 0; index < exports.Count; index++)
        {
            if (Create(exports[index], events) is { } target)
                targets[index] = target;
        }
        return targets;
    }

    private static ExportTarget? Create(PlannedExport export, IProgress<SolveEvent> events) => export.DestinationKind switch
    {
        ExporterDestination.Directory => new DirectoryExportTarget(export.Destination!),
        ExporterDestination.File when export.Stream is { } stream => new StreamExportTarget(stream, $"the stream of the output '{export.Type}'"),
        ExporterDestination.File when export.Destination == SolveOutput.StandardOutput => throw NobodyTakes(export),
        ExporterDestination.File => new FileExportTarget(export.Destination!),
        ExporterDestination.Engine => new EngineLoadTarget(export.Engine!.Name, export.Engine.Engine!.Images, new ImportVertex(events)),
        _ => null,
    };

    private static BuildKitException NobodyTakes(PlannedExport export) =>
        new("BuildKit.InvalidOutput", BuildKitErrorCategory.InvalidArgument, $"The output '{export.Type}' is to be written to the standard output, and here nobody takes its bytes.",
            "Give it a file as dest, or a stream.")
        { Target = export.Type };
}
