using BuildKit.Files;
namespace BuildKit.Builders.Store;

/// <summary>
/// The lock that buildx takes (gofrs/flock): <c>flock</c> on Unix, which is what .NET takes for <see cref="FileShare.None"/>, and a lock of the file's first byte on Windows.
/// </summary>
internal sealed class StoreLock : IDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _file;

    private StoreLock(FileStream file) => _file = file;

    public static async Task<StoreLock> TakeAsync(string path, CancellationToken cancellationToken)
    {
        for (var delay = FirstDelay; ; delay = delay < LongestDelay ? delay * 2 : LongestDelay)
        {
            if (TryTake(path) is { } taken)
                return taken;
            await Task.Delay(delay, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose() => _file.Dispose();

    private static StoreLock? TryTake(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = OperatingSystem.IsWindows() ? FileShare.ReadWrite | FileShare.Delete : FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        FileStream? file = null;
        try
        {
            file = new FileStream(path, options);
            if (OperatingSystem.IsWindows())
                file.Lock(0, 1);
            return new StoreLock(file);
        }
        catch (IOException e) when (SharingViolation.Is(e))
        {
            file?.Dispose();
            return null;
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }
}
