namespace BuildKit.Oci.Editing;

/// <summary>How an index is to be repaired.</summary>
public sealed record OciIndexRepairOptions
{
    /// <summary>
    /// The image that stays, and the name that it keeps: a whole name (<c>app:1</c> means <c>docker.io/library/app:1</c>), a short one, or a digest, which keeps the
    /// first name. With <see cref="AsNestedIndex"/> the name of the new index. Null takes the first name, where there is one image only.
    /// </summary>
    public string? Reference { get; init; }

    /// <summary>The platform whose image stays, such as <c>linux/arm64</c>: of several entries, or of an image for several platforms.</summary>
    public string? Platform { get; init; }

    /// <summary>Puts all images into one new index, and lists that alone: an image for several platforms.</summary>
    public bool AsNestedIndex { get; init; }

    /// <summary>Forgets all names but the one that stays, instead of keeping them in the annotation <see cref="OciIndexEntry.OtherNamesAnnotation"/>.</summary>
    public bool DropNames { get; init; }

    /// <summary>Keeps the old index beside the new one: <c>index.json.bak</c>, of an archive <c>NAME.index.json.bak</c>.</summary>
    public bool Backup { get; init; }
}
