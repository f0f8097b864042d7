using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>
/// Files on this side that the daemon asked for can't be sent: <see cref="BuildKitException.Target"/> is the path.
/// The ids are <c>BuildKit.ContextNotFound</c>, <c>BuildKit.ContextUnreadable</c>, <c>BuildKit.ContextChanged</c> and <c>BuildKit.ContextNameInvalid</c>.
/// </summary>
public sealed class BuildContextException : BuildKitException
{
    private BuildContextException(
        string errorId, BuildKitErrorCategory category, string path, string message, string recommendedAction, Exception? innerException = null)
        : base(errorId, category, message, recommendedAction, innerException) => Target = path;

    internal static BuildContextException NotFound(string path) => new(
        "BuildKit.ContextNotFound", BuildKitErrorCategory.NotFound, path, $"The directory '{path}' does not exist.", "Name a directory that exists.");

    internal static BuildContextException Unreadable(FileTreeException error) => new(
        "BuildKit.ContextUnreadable",
        error.IsDenied ? BuildKitErrorCategory.PermissionDenied : BuildKitErrorCategory.InputOutput,
        error.Path,
        $"'{error.Path}' can't be read for the build: {error.Message}.",
        "Make it readable, or leave it out of the build by a line in .dockerignore.",
        error);

    internal static BuildContextException Changed(string path, long listed, long read) => new(
        "BuildKit.ContextChanged",
        BuildKitErrorCategory.InputOutput,
        path,
        $"'{path}' changed while it was being sent: it had {listed} bytes when it was listed and "
            + $"{(read < listed ? "only" : "at least")} {read} when it was read.",
        "Build again while nothing writes to it, or leave it out of the build by a line in .dockerignore.");

    internal static BuildContextException NameInvalid(string path, string what) => new(
        "BuildKit.ContextNameInvalid",
        BuildKitErrorCategory.InvalidArgument,
        path,
        $"{what} of '{path}' is not UTF-8, and the daemon takes no other.",
        "Rename it, or leave it out of the build by a line in .dockerignore.");
}
