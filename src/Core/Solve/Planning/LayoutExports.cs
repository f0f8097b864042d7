using BuildKit.Docker;
using BuildKit.Oci;
using BuildKit.Session.Content;
using BuildKit.Session.FileSend;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>Exports into a layout directory: served by the session's content service, its index brought up to date afterwards.</summary>
internal static class LayoutExports
{
    // The daemon knows one store for all exporters of a session (moby/buildkit exporter/oci/export.go).
    private const string StoreId = "export";
    private const string DescriptorKey = "containerimage.descriptor";
    private const string NameKey = "image.name";
    private const string DefaultTag = "latest";

    /// <exception cref="BuildKitException"><c>BuildKit.SeveralLayouts</c>, or the destination is no directory for a layout.</exception>
    public static void AddTo(SolvePlan plan)
    {
        var layouts = plan.Exports.FindAll(export => export.DestinationKind == ExporterDestination.Layout);
        if (layouts.Count > 1)
            throw new BuildKitException(
                "BuildKit.SeveralLayouts", BuildKitErrorCategory.NotSupported, "Two outputs are layout directories (tar=false), and a daemon writes into one a build.",
                "Ask for one of them a build, or for archives: leave out tar=false.")
            { Target = layouts[1].Destination };
        foreach (var export in layouts)
        {
            var layout = new OciLayout(export.Destination!);
            layout.DemandUpdatable();
            var store = new ContentStore(layout) { IsWritable = true };
            ContentStores.Of(plan).Add(StoreId, store);
            var isOnly = plan.Exports.Count == 1;
            plan.AfterSolve.Add(new LayoutUpdate(store, response => Read(export, response, isOnly)));
        }
    }

    private static LayoutRoot Read(PlannedExport export, IDictionary<string, string> response, bool isOnly)
    {
        try
        {
            if (response.TryGetValue(DescriptorKey, out var text))
                return new LayoutRoot(OciDescriptor.Parse(Convert.FromBase64String(text)), Names(export, response, isOnly));
        }
        catch (FormatException e)
        {
            throw ExportErrors.Protocol(export.Destination!, $"the image's descriptor can't be read: {e.Message}");
        }
        throw ExportErrors.Incomplete(export.Destination!, "the daemon said that the build succeeded, but not which image it wrote");
    }

    // The response tells the names of one exporter, of several perhaps another's.
    private static List<OciImageName> Names(PlannedExport export, IDictionary<string, string> response, bool isOnly)
    {
        var asked = export.Attributes.GetValueOrDefault("name") ?? string.Empty;
        var names = isOnly || asked == "*"
            ? response.TryGetValue(NameKey, out var returned) ? returned.Split(',') : null
            : asked.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ImageReference.Normalize).ToArray();
        return names is null or [] or [""] ? [OciImageName.FromTag(DefaultTag)] : names.Select(OciImageName.FromImage).ToList();
    }
}
