namespace BuildKit.Oci.Checking;

/// <summary>A kind of finding.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Recommendation">What to do about it.</param>
internal sealed record OciFindingKind(string Id, OciFindingSeverity Severity, string Recommendation);

/// <summary>Every kind of finding there is.</summary>
internal static class OciFindingTable
{
    private const string CopyAnew = "Copy the image anew from where it came from.";
    private const string WriteAnew = "Have the image written anew by the tool that made it.";
    private const string Repair = "Repair-OciIndex makes one entry of them.";

    public static OciFindingKind NotALayout { get; } = new("NotALayout", OciFindingSeverity.Error, "Name a layout directory, a tar archive of one, or an index.json.");

    public static OciFindingKind ArchiveInvalid { get; } = new("ArchiveInvalid", OciFindingSeverity.Error, "Copy the archive anew, or have it written anew.");

    public static OciFindingKind VersionMissing { get; } = new("VersionFileMissing", OciFindingSeverity.Error, "Repair-OciIndex adds it; umoci reads no layout without it.");

    public static OciFindingKind VersionInvalid { get; } = new("VersionFileInvalid", OciFindingSeverity.Error, "Write {\"imageLayoutVersion\":\"1.0.0\"} into it.");

    public static OciFindingKind IndexInvalid { get; } = new("IndexInvalid", OciFindingSeverity.Error, "Correct the file at the place that is told, or have the layout written anew.");

    public static OciFindingKind IndexEmpty { get; } = new("IndexEmpty", OciFindingSeverity.Warning, "Name another layout: this one has no image.");

    public static OciFindingKind EntryNameless { get; } = new("EntryWithoutName", OciFindingSeverity.Information, "Set-OciReference gives it a name; umoci finds an image by its name only.");

    public static OciFindingKind SeveralEntries { get; } = new("SeveralEntriesForImage", OciFindingSeverity.Warning, Repair);

    public static OciFindingKind SeveralImages { get; } = new("SeveralImages", OciFindingSeverity.Information, "crane and skopeo want one image, or its name: Repair-OciIndex -Reference NAME.");

    public static OciFindingKind NameTwice { get; } = new("DuplicateName", OciFindingSeverity.Error, "Remove-OciReference takes the name from one of them.");

    public static OciFindingKind TagTwice { get; } = new("AmbiguousRefName", OciFindingSeverity.Warning, "skopeo takes the first, umoci none: use the digest, or Repair-OciIndex -Reference NAME.");

    public static OciFindingKind BlobMissing { get; } = new("BlobMissing", OciFindingSeverity.Error, CopyAnew);

    public static OciFindingKind ForeignMissing { get; } = new("ForeignLayerMissing", OciFindingSeverity.Information, "Such layers are fetched from their urls.");

    public static OciFindingKind SizeWrong { get; } = new("BlobSizeWrong", OciFindingSeverity.Error, CopyAnew);

    public static OciFindingKind DigestWrong { get; } = new("BlobDigestWrong", OciFindingSeverity.Error, CopyAnew);

    public static OciFindingKind BlobUnreadable { get; } = new("BlobUnreadable", OciFindingSeverity.Error, "Make the file readable.");

    public static OciFindingKind BlobUnreferenced { get; } = new("BlobUnreferenced", OciFindingSeverity.Information, "Optimize-OciLayout removes what nothing refers to.");

    public static OciFindingKind UnsafePath { get; } = new("UnsafePath", OciFindingSeverity.Error, "Don't unpack it; have the layout written anew with files only.");

    public static OciFindingKind DocumentInvalid { get; } = new("DocumentInvalid", OciFindingSeverity.Error, WriteAnew);

    public static OciFindingKind MediaTypeMissing { get; } = new("MediaTypeMissing", OciFindingSeverity.Error, WriteAnew);

    public static OciFindingKind MediaTypeUnknown { get; } = new("MediaTypeUnknown", OciFindingSeverity.Warning, "Not every tool can use it.");

    public static OciFindingKind MediaTypeDiffers { get; } = new("MediaTypeDiffers", OciFindingSeverity.Error, WriteAnew);

    public static OciFindingKind ConfigMissing { get; } = new("ConfigMissing", OciFindingSeverity.Error, WriteAnew);

    public static OciFindingKind LayerCount { get; } = new("LayerCountDiffers", OciFindingSeverity.Error, WriteAnew);

    public static OciFindingKind PlatformDiffers { get; } = new("PlatformMismatch", OciFindingSeverity.Error, "Correct the platform in the index: machines choose by it.");

    public static OciFindingKind SubjectMissing { get; } = new("SubjectMissing", OciFindingSeverity.Information, "Copy the image that it is about, too.");

    public static OciFindingKind TooDeep { get; } = new("IndexTooDeep", OciFindingSeverity.Error, "Use an image that was written by a known tool.");

    public static OciFindingKind Loop { get; } = new("IndexLoop", OciFindingSeverity.Error, "Use an image that was written by a known tool.");

    /// <summary>All of them, for the documentation's test.</summary>
    public static IReadOnlyList<OciFindingKind> All { get; } =
    [
        NotALayout, ArchiveInvalid, VersionMissing, VersionInvalid, IndexInvalid, IndexEmpty, EntryNameless, SeveralEntries, SeveralImages, NameTwice, TagTwice,
        BlobMissing, ForeignMissing, SizeWrong, DigestWrong, BlobUnreadable, BlobUnreferenced, UnsafePath, DocumentInvalid, MediaTypeMissing, MediaTypeUnknown,
        MediaTypeDiffers, ConfigMissing, LayerCount, PlatformDiffers, SubjectMissing, TooDeep, Loop,
    ];

    /// <summary>What it means that a blob could not be opened or read to its end.</summary>
    public static OciFindingKind KindOf(Exception exception, OciDescriptor blob) => (exception as BuildKitException)?.ErrorId switch
    {
        "BuildKit.OciBlobNotFound" => OciMediaType.IsForeignLayer(blob.MediaType) ? ForeignMissing : BlobMissing,
        "BuildKit.OciBlobInvalid" => DigestWrong,
        "BuildKit.OciUnsafePath" => UnsafePath,
        _ => BlobUnreadable,
    };
}
