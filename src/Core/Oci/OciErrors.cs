namespace BuildKit.Oci;

/// <summary>The errors of a layout, each said in one place.</summary>
internal static class OciErrors
{
    /// <summary>Whether an error says that a blob or manifest is not there, in a layout or in a registry.</summary>
    public static bool IsMissing(BuildKitException exception) => exception.ErrorId is "BuildKit.OciBlobNotFound" or "BuildKit.ManifestNotFound";

    public static BuildKitException NotFound(string path) =>
        new("BuildKit.OciLayoutNotFound", BuildKitErrorCategory.NotFound, $"There is no OCI layout '{path}'.", "Check the path: a layout is a directory, or a tar archive of one.") { Target = path };

    public static BuildKitException Invalid(string path, string why, string action, Exception? inner = null) =>
        new("BuildKit.OciLayoutInvalid", BuildKitErrorCategory.InvalidArgument, $"'{path}' is no OCI layout: {why}.", action, inner) { Target = path };

    public static BuildKitException ImageNotFound(string path, string name, IEnumerable<OciDescriptor> manifests)
    {
        const int Shown = 20;
        var names = manifests.Select(manifest => manifest.Name ?? manifest.Digest.ToString()).ToList();
        var shown = string.Join(", ", names.Take(Shown)) + (names.Count > Shown ? ", …" : "");
        return new(
            "BuildKit.OciImageNotFound", BuildKitErrorCategory.NotFound,
            $"The OCI layout '{path}' has no image '{name}', and which of its {names.Count} entries is meant can't be told: {shown}.",
            "Name one of them, by its name or its digest.")
        { Target = path };
    }

    public static BuildKitException ReferenceExists(string path, string name, OciDigest digest) =>
        new("BuildKit.OciReferenceExists", BuildKitErrorCategory.InvalidArgument, $"In '{path}' the name '{name}' is that of another image, {digest}.", "Choose another name, or say -Force to take it from that image.")
        { Target = name };

    public static BuildKitException Empty(string path) =>
        new("BuildKit.OciImageNotFound", BuildKitErrorCategory.NotFound, $"The OCI layout '{path}' has no image: its index is empty.", "Name another layout.") { Target = path };

    public static BuildKitException BlobNotFound(string path, OciDigest digest) =>
        new("BuildKit.OciBlobNotFound", BuildKitErrorCategory.NotFound, $"The OCI layout '{path}' has no blob {digest}.",
            "Check the digest; where the layout itself names it, copy the layout anew, with all of its blobs.")
        { Target = path };

    public static BuildKitException BlobInvalid(string path, OciDescriptor blob, string why) =>
        new("BuildKit.OciBlobInvalid", BuildKitErrorCategory.InputOutput, $"The blob {blob.Digest} of '{path}' is damaged: {why}.",
            "Copy the image anew from where it came from. Test-OciLayout tells everything that is wrong.")
        { Target = blob.Digest.ToString() };

    public static BuildKitException BlobTooLarge(string path, OciDescriptor blob, long limit) =>
        new("BuildKit.OciBlobTooLarge", BuildKitErrorCategory.InvalidArgument, $"The blob {blob.Digest} of '{path}' has {blob.Size} bytes, and at most {limit} are read of a {(blob.MediaType.Length == 0 ? "blob" : blob.MediaType)}.",
            "Use an image that was written by a known tool.")
        { Target = blob.Digest.ToString() };

    public static BuildKitException BlobUnsafe(string path, OciDigest digest, string why) =>
        new("BuildKit.OciUnsafePath", BuildKitErrorCategory.PermissionDenied, $"The blob {digest} of '{path}' is not read: {why}.",
            "Put the file itself there.")
        { Target = digest.ToString() };

    public static BuildKitException ArchiveInvalid(string path, string why, Exception? inner = null) =>
        new("BuildKit.OciArchiveInvalid", BuildKitErrorCategory.InputOutput, $"The archive '{path}' can't be read: {why}.", "Copy the archive anew, or have it written anew.", inner)
        { Target = path };

    public static BuildKitException NotALayout(string path, string why, string action) =>
        new("BuildKit.OciLayoutInvalid", BuildKitErrorCategory.InvalidArgument, $"'{path}' is neither an OCI layout nor an archive of one: {why}.", action) { Target = path };

    public static BuildKitException TooDeep(string path, string place) =>
        new("BuildKit.OciIndexTooDeep", BuildKitErrorCategory.InvalidArgument, $"In '{path}' more than {OciDocument.MaxDepth} indexes lie one in another.", "Use an image that was written by a known tool.")
        { Target = place.Length > 100 ? place[..100] : place };

    public static BuildKitException PlatformNotFound(string path, string platform, IEnumerable<string> platforms) =>
        new("BuildKit.OciPlatformNotFound", BuildKitErrorCategory.NotFound, $"'{path}' has no image for {platform}{List(platforms)}.", "Name one of its platforms.") { Target = platform };

    public static BuildKitException Changed(string path) =>
        new("BuildKit.OciLayoutChanged", BuildKitErrorCategory.InputOutput, $"Another program has changed '{path}' meanwhile. It was left as it is.", "Try again when that program is done.") { Target = path };

    public static BuildKitException Incomplete(string path, string why) =>
        new("BuildKit.OciLayoutIncomplete", BuildKitErrorCategory.InvalidArgument, $"Nothing was removed from '{path}', because it is not known what it needs: {why}",
            "Test-OciLayout tells everything that is wrong. Correct that first; -Force removes all the same what nothing readable refers to.")
        { Target = path };

    public static BuildKitException NotWritable(string path, string why) =>
        new("BuildKit.OciUnsafePath", BuildKitErrorCategory.PermissionDenied, $"'{path}' is not written to: {why}.", "Name the file itself.") { Target = path };

    private static string List(IEnumerable<string> items) => string.Join(", ", items) is { Length: > 0 } text ? $", only for {text}" : "";

    public static BuildKitException Locked(string path, string lockPath) =>
        new("BuildKit.OciLayoutLocked", BuildKitErrorCategory.InputOutput, $"The index of the OCI layout '{path}' is locked by another program.",
            $"Wait for it to end. Where none runs any more, remove '{lockPath}'.")
        { Target = path };

    /// <summary>Does something with the files of a layout; what the system refuses is an error of the layout.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutDenied</c> or <c>BuildKit.OciLayoutUnwritable</c>.</exception>
    public static T Guard<T>(string path, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw From(path, e);
        }
    }

    public static BuildKitException Temporary(Exception exception) =>
        new("BuildKit.TemporaryFileUnwritable", BuildKitErrorCategory.InputOutput, $"A temporary file in '{Path.GetTempPath()}' can't be written: {exception.Message}",
            "Make room there, or name another directory in TMPDIR (on Windows TMP).", exception)
        { Target = Path.GetTempPath() };

    public static BuildKitException From(string path, Exception exception) => exception is UnauthorizedAccessException
        ? new("BuildKit.OciLayoutDenied", BuildKitErrorCategory.PermissionDenied, $"The OCI layout '{path}' can't be used: {exception.Message}",
            "Change the rights of the directory, or choose another one.", exception)
        { Target = path }
        : new("BuildKit.OciLayoutUnwritable", BuildKitErrorCategory.InputOutput, $"The OCI layout '{path}' can't be read or written: {exception.Message}",
            "Choose another directory.", exception)
        { Target = path };
}
