using BuildKit.Docker;
using BuildKit.Oci.Copying;

namespace BuildKit.Oci.Merging;

/// <summary>What can't be merged, each said in one place.</summary>
internal static class OciMergeErrors
{
    public static void DemandDestination(OciAddress destination)
    {
        if (destination.Transport is not (OciTransport.Registry or OciTransport.OciLayout) || File.Exists(destination.Path))
            throw Invalid(destination, "it is neither a registry nor a layout directory", "Write it like registry.example.com/app:1 or oci-layout://PATH:TAG.");
        if (destination.Path is null ? ImageReference.Parse(destination.Reference!).Digest is not null : OciAddressSource.DigestOf(destination) is not null)
            throw Invalid(destination, "what a digest names is there already, or will never be", "Name it by a tag.");
        if (destination.Reference is null)
            throw Invalid(destination, "it does not say what the index is to be called", "Write it like oci-layout://PATH:TAG.");
    }

    public static Annotation DemandIndexAnnotation(Annotation annotation, string text) => annotation.Type switch
    {
        null => annotation with { Type = "index" },
        "index" or "manifest-descriptor" => annotation,
        _ => throw new BuildKitException(
            "BuildKit.InvalidAnnotation", BuildKitErrorCategory.InvalidArgument,
            $"'{text}' can't be an annotation here: {(annotation.Type == "manifest" ? "manifests stay as they are" : "nothing describes the index that is made")}.",
            "Write it like index:key=value or manifest-descriptor[linux/arm64]:key=value.")
        { Target = text },
    };

    public static OciImagesDifferException SamePlatform(IReadOnlyList<OciMergeEntry> entries, OciPlatform platform) => new(
        entries[0].Source.Location, $"{entries.Count} different images are for {platform}, and an index can have one for each platform:",
        entries.Select(entry => OciIndexEntry.Create(entry.Entry, "", entry.Source.LayoutPath, entry.Source.Repository) with { ImageName = entry.Source.ReferenceTo(entry.Entry.Digest) }).ToList(),
        "Leave one of them out, or say which to keep: -Duplicate First or -Duplicate Last.");

    private static BuildKitException Invalid(OciAddress destination, string why, string action) =>
        new("BuildKit.InvalidDestination", BuildKitErrorCategory.InvalidArgument, $"An index can't be put to '{destination}': {why}.", action) { Target = destination.ToString() };
}
