using System.Runtime.InteropServices;
using BuildKit.Tests.Session.FileSend;

namespace BuildKit.Tests.Oci;

/// <summary>What may not be read, also not by root: root's rights are laid down for as long as something is tried.</summary>
internal static partial class Unreadable
{
    private const uint Nobody = 65534;

    /// <summary>Tries something that does not go to other threads: the system keeps these rights for each thread.</summary>
    /// <param name="root">The directory above it all, which anybody may go through.</param>
    /// <param name="path">What may not be read meanwhile.</param>
    /// <param name="act">What is tried.</param>
    public static T Try<T>(string root, string path, Func<Task<T>> act)
    {
        var mode = TemporaryDirectory.Run("stat", "-c", "%a", path);
        TemporaryDirectory.Run("chmod", "755", root);
        TemporaryDirectory.Run("chmod", "0", path);
        T? result = default;
        Exception? error = null;
        var thread = new Thread(() =>
        {
            var before = setfsuid(Nobody);
            try
            {
                result = act().GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                error = e;
            }
            finally
            {
                _ = setfsuid((uint)before);
            }
        });
        thread.Start();
        thread.Join();
        TemporaryDirectory.Run("chmod", mode, path);
        return error is null ? result! : throw new InvalidOperationException(error.Message, error);
    }

    [LibraryImport("libc")]
    private static partial int setfsuid(uint user);
}
