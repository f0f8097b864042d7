using System.Runtime.InteropServices;

namespace BuildKit.Session.FileSend;

/// <summary>The errors of an output, each said in one place.</summary>
internal static class ExportErrors
{
    // Linux and macOS agree on these; those on which they differ are told apart below.
    private const int EPERM = 1;
    private const int EACCES = 13;
    private const int EEXIST = 17;
    private const int EXDEV = 18;
    private const int EFBIG = 27;
    private const int ENOSPC = 28;
    private const int EROFS = 30;

    // HRESULTs of ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL and ERROR_FILE_EXISTS.
    private const int HandleDiskFull = unchecked((int)0x80070027);
    private const int DiskFull = unchecked((int)0x80070070);
    private const int FileExists = unchecked((int)0x80070050);

    private static int ENAMETOOLONG => OperatingSystem.IsMacOS() ? 63 : 36;

    private static int EDQUOT => OperatingSystem.IsMacOS() ? 69 : 122;

    /// <summary>The daemon sent a path that leads out of the destination or can't be one.</summary>
    public static ExportException UnsafePath(string destination, string path, string why) =>
        new("BuildKit.OutputUnsafePath", BuildKitErrorCategory.Protocol, $"The daemon sent the path {Quote(path)} for the output, and it was refused: {why}.",
            "Nothing was written. A BuildKit daemon never sends such a path: find out what is listening at the builder's address.")
        { Target = destination };

    /// <summary>The daemon broke the rules of the transfer.</summary>
    public static ExportException Protocol(string destination, string what) =>
        new("BuildKit.OutputProtocolViolation", BuildKitErrorCategory.Protocol, $"The daemon broke the protocol of an output: {what}.",
            "Nothing was written. Build again; when it happens again, check the daemon's version and log.")
        { Target = destination };

    /// <summary>The daemon sent something that can't exist on this side.</summary>
    public static ExportException Unsupported(string destination, string what, string action) =>
        new("BuildKit.OutputUnsupported", BuildKitErrorCategory.NotSupported, what, action) { Target = destination };

    /// <summary>What is at the destination can't be replaced by the output.</summary>
    public static ExportException Destination(string destination, string what, string action) =>
        new("BuildKit.OutputDestinationInvalid", BuildKitErrorCategory.InvalidArgument, what, action) { Target = destination };

    /// <summary>The daemon did not send all of it.</summary>
    public static ExportException Incomplete(string destination, string what) =>
        new("BuildKit.OutputIncomplete", BuildKitErrorCategory.Protocol, $"The output '{destination}' is incomplete: {what}.",
            "Nothing was written. Build again; when it happens again, look into the daemon's log.")
        { Target = destination };

    /// <summary>A name that no file can have here because of its length.</summary>
    public static ExportException NameTooLong(string path, Exception? inner = null) =>
        new("BuildKit.OutputNameTooLong", BuildKitErrorCategory.InputOutput, $"The output holds a name that is too long for this file system: {Quote(path)}.",
            "Choose a destination with a shorter path, or export a tar (type=tar) instead of a directory.", inner)
        { Target = path };

    /// <summary>Says what a failed file operation means for the output.</summary>
    public static ExportException From(Exception exception, string path)
    {
        if (exception is PathTooLongException)
            return NameTooLong(path, exception);
        if (exception.HResult is HandleDiskFull or DiskFull)
            return FromErrno(ENOSPC, path, exception);
        if (exception.HResult == FileExists)
            return FromErrno(EEXIST, path, exception);
        // On Unix an IOException carries the plain errno; .NET wraps it once more where rights are missing.
        if (exception is UnauthorizedAccessException)
            return FromErrno(exception.InnerException is IOException { HResult: EROFS } ? EROFS : EACCES, path, exception);
        return FromErrno(OperatingSystem.IsWindows() ? 0 : exception.HResult, path, exception);
    }

    /// <summary>Says what an errno of a system call means for the output.</summary>
    public static ExportException FromErrno(int errno, string path, Exception? inner = null)
    {
        if (errno is ENOSPC || errno == EDQUOT)
            return new ExportException("BuildKit.OutputDiskFull", BuildKitErrorCategory.InputOutput, $"No space is left to write the output '{path}'.",
                "Free some space (or raise the quota), or choose a destination on another disk. What was written so far has been removed.", inner)
            { Target = path };
        if (errno is EACCES or EPERM or EROFS)
            return new ExportException("BuildKit.OutputDenied", BuildKitErrorCategory.PermissionDenied,
                errno == EROFS ? $"The output '{path}' can't be written: the file system is read-only." : $"The output '{path}' can't be written: permission denied.",
                "Choose a destination that you may write to, or change the rights of this one.", inner)
            { Target = path };
        if (errno == ENAMETOOLONG)
            return NameTooLong(path, inner);
        if (errno == EEXIST)
            return new ExportException("BuildKit.OutputNameConflict", BuildKitErrorCategory.InputOutput,
                $"Two entries of the output have the same name on this file system: '{path}'.",
                "This file system may ignore upper and lower case. Choose a destination on one that does not, or export a tar (type=tar).", inner)
            { Target = path };
        var why = errno switch
        {
            EFBIG => "the file is larger than the file system allows",
            EXDEV => "another file system is mounted within it",
            _ => inner?.Message ?? (errno == 0 ? "the operation failed" : Marshal.GetPInvokeErrorMessage(errno)),
        };
        return new ExportException("BuildKit.OutputFailed", BuildKitErrorCategory.InputOutput, $"The output '{path}' can't be written: {why}.", "Choose another destination.", inner)
        { Target = path };
    }

    // A path from the daemon is shown shortened and without control characters, which could do things to a terminal.
    internal static string Quote(string path)
    {
        var shown = path.Length > 200 ? string.Concat(path.AsSpan(0, 200), "…") : path;
        return $"'{string.Create(shown.Length, shown, static (span, text) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(text[i]) ? '\uFFFD' : text[i];
        })}'";
    }
}
