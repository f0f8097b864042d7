using BuildKit.Oci;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>Options of the build that become attributes of its exporters (docker/buildx commands/build.go, build/opt.go).</summary>
internal static class ExportOptions
{
    private const string BuildInfoArgument = "BUILDKIT_INLINE_BUILDINFO_ATTRS";

    /// <summary>Adds annotations, and what <c>BUILDKIT_INLINE_BUILDINFO_ATTRS</c> says; both win over an output's own attributes, as they do in buildx.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidAnnotation</c>, or <c>BuildKit.IndexAnnotationNotSupported</c>.</exception>
    public static void AddTo(SolvePlan plan, SolveRequest request, SolveDaemon daemon)
    {
        var defaultOS = PlatformPlanner.DefaultOS(daemon);
        var annotations = request.Annotations.Where(text => text.Length > 0).SelectMany(text => Annotation.Parse(text, defaultOS)).ToList();
        if (annotations.Count > 0 && daemon.Store == DaemonStore.EngineGraphdriver && plan.Exports.Exists(export => IsImage(export, daemon)))
            CheckClassicStore(plan, annotations);

        for (var index = 0; index < plan.Exports.Count; index++)
        {
            var export = plan.Exports[index];
            var attributes = export.Attributes.ToDictionary();
            foreach (var annotation in annotations)
                attributes[annotation.Attribute] = annotation.Value;
            if (IsImage(export, daemon) && request.BuildArgs.TryGetValue(BuildInfoArgument, out var buildInfo))
                attributes["buildinfo-attrs"] = buildInfo;
            plan.Exports[index] = export with { Attributes = attributes };
        }
    }

    private static bool IsImage(PlannedExport export, SolveDaemon daemon) => ExporterTable.Find(export.Type, daemon.Store).Any(row => row.TakesName);

    private static void CheckClassicStore(SolvePlan plan, List<Annotation> annotations)
    {
        if (annotations.Find(annotation => annotation.IsOfIndex) is { } refused)
            throw new BuildKitException(
                "BuildKit.IndexAnnotationNotSupported", BuildKitErrorCategory.NotSupported,
                $"This Engine keeps its images in the classic store, where an image has no index to annotate ('{refused.Key}').",
                $"Annotate the manifest, switch the Engine to the containerd image store {ExporterTable.ContainerdStoreSetting}, or build with a standalone buildkitd.")
            { Target = refused.Key };
        plan.Warnings.Add("This Engine keeps its images in the classic store, which drops annotations; use -Label for what must stay with the image.");
    }
}
