using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Nodes;

/// <summary>
/// What of a plan is different where several nodes share a build (docker/buildx build/build.go): which outputs can't be had, and that an image is pushed by its digest at first.
/// buildx refuses <c>oci</c> and <c>tar</c>, and finds out about <c>docker</c> once everything has been built.
/// </summary>
internal static class NodeExports
{
    /// <summary>The id of what can't be had from several nodes.</summary>
    public const string NotSupportedId = "BuildKit.NodesOutputNotSupported";

    private const string WayOut = "Push the image (-Push, with a -Tag that names a registry), name one platform, or build with a builder that has one node for all of them.";

    /// <summary>Changes the plan of one node, and adds to it the image that is joined once all nodes have pushed their parts.</summary>
    /// <exception cref="BuildKitException"><see cref="NotSupportedId"/>.</exception>
    public static void AddTo(SolvePlan plan)
    {
        // Each node makes an index of its part, even where that is one platform, and files get a directory by platform.
        plan.FrontendAttributes["multi-platform"] = "true";
        for (var index = 0; index < plan.Exports.Count; index++)
        {
            var export = plan.Exports[index];
            Demand(export);
            if (!Pushes(export))
                continue;
            if (plan.JoinedImage is not null)
                throw NotSupported(export, "A build on several nodes pushes one image, and several were asked for.", "Ask for one pushed output, with a -Tag for each of its names.");
            var image = plan.JoinedImage = JoinedImage.Of(export, plan.Exports);
            plan.Exports[index] = export with
            {
                Attributes = new Dictionary<string, string>(export.Attributes) { ["name"] = string.Join(',', image.Repositories), ["push-by-digest"] = "true" },
            };
        }
    }

    private static void Demand(PlannedExport export)
    {
        switch (export.DestinationKind)
        {
            case ExporterDestination.File:
                throw NotSupported(export, $"The output '{export.Type}' is one file, and each node of a build on several nodes has a part of it.", WayOut);
            case ExporterDestination.Layout:
                throw NotSupported(export, $"The output '{export.Type}' to a layout directory is one image, and each node of a build on several nodes has a part of it.", WayOut);
            case ExporterDestination.Engine:
                throw NotSupported(export, "An image is loaded into a Docker Engine as a whole, and each node of a build on several nodes has a part of it.", WayOut);
            case ExporterDestination.None when export.WireName == "moby" && Pushes(export):
                throw NotSupported(
                    export, "Docker Engines can't push the parts of an image, which a build on several nodes needs.",
                    "Use a builder whose nodes are of the driver docker-container or remote, or build and push each platform by itself.");
        }
    }

    private static bool Pushes(PlannedExport export) =>
        export.DestinationKind == ExporterDestination.None && GoBoolean.Parse(export.Attributes.GetValueOrDefault("push")) == true;

    private static BuildKitException NotSupported(PlannedExport export, string message, string action) =>
        new(NotSupportedId, BuildKitErrorCategory.NotSupported, message, action) { Target = export.Type };
}
