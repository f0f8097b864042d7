using System.Globalization;
using System.Text;

namespace BuildKit.Builders.Store;

/// <summary>Files of the store, each replaced as a whole, so that who reads without the lock sees the old or the new one.</summary>
internal static class StoreFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="directory">The store's folder.</param>
    /// <param name="name">The file's path in it.</param>
    /// <param name="text">What it holds.</param>
    /// <param name="flush">Whether it has to outlive a crash of the machine.</param>
    public static void Write(string directory, string name, string text, bool flush = true)
    {
        var path = Path.Combine(directory, name);
        var beside = Path.Combine(directory, Path.GetDirectoryName(name)!, $".tmp-{Path.GetFileName(name)}{Identifier.New()}");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(beside, options))
            {
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flush);
            }
            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    /// <summary>A time as buildx writes it (RFC 3339).</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
