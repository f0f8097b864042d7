using BuildKit.Tests.Session.FileSend;

namespace BuildKit.Tests.Oci;

/// <summary>What may not be read, also not by root.</summary>
internal static class Unreadable
{
    /// <summary>Tries something that does not go to other threads.</summary>
    /// <param name="root">The directory above it all, which anybody may go through.</param>
    /// <param name="path">What may not be read meanwhile.</param>
    /// <param name="act">What is tried.</param>
    public static T Try<T>(string root, string path, Func<Task<T>> act)
    {
        var mode = TemporaryDirectory.Run("stat", "-c", "%a", path);
        TemporaryDirectory.Run("chmod", "755", root);
        TemporaryDirectory.Run("chmod", "0", path);
        try
        {
            T? result = default;
            AsNobody.Run(() => result = act().GetAwaiter().GetResult());
            return result!;
        }
        finally
        {
            TemporaryDirectory.Run("chmod", mode, path);
        }
    }
}
