using System.Security.Cryptography;
using BuildKit.Files;

namespace BuildKit.Oci;

/// <summary>
/// The lock <c>index.json.lock</c> of BuildKit's tools (moby/buildkit client/ociindex), which is <c>flock</c> on Unix: what .NET does for a file that is not shared.
/// Whoever has it removes the file in the end.
/// </summary>
internal sealed class OciIndexLock : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _file;

    private OciIndexLock(FileStream file) => _file = file;

    /// <summary>Waits for the lock and takes it.</summary>
    /// <param name="indexPath">The index.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutLocked</c>: somebody had it for too long.</exception>
    public static async Task<OciIndexLock> AcquireAsync(string indexPath, CancellationToken cancellationToken)
    {
        var path = indexPath + ".lock";
        for (var started = Environment.TickCount64; ;)
        {
            if (TryAcquire(path) is { } file)
                return new OciIndexLock(file);
            if (Environment.TickCount64 - started > Patience.TotalMilliseconds)
                throw OciErrors.Locked(System.IO.Path.GetDirectoryName(path)!, path);
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Removes the file while the lock is still held, and gives it up.</summary>
    public void Dispose()
    {
        // Windows removes no open file; there it goes away with its handle (DeleteOnClose).
        if (!OperatingSystem.IsWindows())
            File.Delete(_file.Name);
        _file.Dispose();
    }

    private static FileStream? TryAcquire(string path)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(
                path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0,
                OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
            if (OperatingSystem.IsWindows() || IsStillAt(path, file))
                return file;
        }
        catch (IOException e) when (SharingViolation.Is(e))
        {
            // Somebody has it.
        }
        catch (UnauthorizedAccessException) when (OperatingSystem.IsWindows() && File.Exists(path))
        {
            // Somebody has just given it up, and the file is about to go.
        }
        file?.Dispose();
        return null;
    }

    /// <summary>
    /// Whether the file that was locked is the one at the path: its last holder may have removed it between our opening and our locking it. The file is
    /// marked by a time that nobody else gives it, because opening it once more would wait for our own lock.
    /// </summary>
    private static bool IsStillAt(string path, FileStream file)
    {
        // Even seconds: some file systems keep no others.
        var mark = DateTime.UnixEpoch.AddSeconds(2 * RandomNumberGenerator.GetInt32(1, 500_000_000));
        File.SetLastWriteTimeUtc(file.SafeFileHandle, mark);
        return File.GetLastWriteTimeUtc(path) == mark;
    }
}
