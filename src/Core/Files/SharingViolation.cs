namespace BuildKit.Files;

/// <summary>Tells that a file could not be opened because somebody has it locked from everything else that opening may fail with.</summary>
internal static class SharingViolation
{
    // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION; EWOULDBLOCK of Linux and of macOS.
    public static bool Is(IOException exception) => OperatingSystem.IsWindows()
        ? (exception.HResult & 0xffff) is 32 or 33
        : exception.HResult is 11 or 35;
}
