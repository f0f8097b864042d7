using BuildKit.Docker;

namespace BuildKit.Oci.Editing;

/// <summary>Names of images as people write them, and as an index has them.</summary>
internal static class OciNames
{
    /// <summary>How a person sees a name.</summary>
    public static string Show(OciImageName name) => name.ImageName ?? name.RefName;

    /// <summary>A name that was kept: whole where it has a slash, or else a short one.</summary>
    public static OciImageName Read(string text) => text.Contains('/', StringComparison.Ordinal) ? OciImageName.FromImage(text) : OciImageName.FromTag(text);

    /// <summary>The name to give to an image: whole, as docker understands it, where a repository is in it; a tag where there is none.</summary>
    public static OciImageName Create(string text) =>
        text.IndexOfAny([':', '/']) >= 0 ? OciImageName.FromImage(ImageReference.Normalize(text)) : OciImageName.FromTag(text);

    /// <summary>The whole name of what somebody wrote, or null where that can't be one.</summary>
    public static string? Whole(string text)
    {
        try
        {
            return ImageReference.Normalize(text);
        }
        catch (BuildKitException)
        {
            return null;
        }
    }
}
