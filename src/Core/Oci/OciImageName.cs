namespace BuildKit.Oci;

/// <summary>How an image is called in a layout's index.</summary>
/// <param name="ImageName">The whole name, or null where it has a tag alone.</param>
/// <param name="RefName">The short name.</param>
internal readonly record struct OciImageName(string? ImageName, string RefName)
{
    /// <summary>A tag alone.</summary>
    public static OciImageName FromTag(string tag) => new(null, tag);

    /// <summary>A whole name such as <c>docker.io/library/app:1</c>; its short name is what follows the repository (containerd reference.Spec.Object).</summary>
    public static OciImageName FromImage(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var end = slash < 0 ? -1 : name.AsSpan(slash).IndexOfAny(':', '@');
        if (end < 0)
            return new(name, name);
        var rest = name[(slash + end)..];
        return new(name, rest[0] == ':' ? rest[1..] : rest);
    }
}
