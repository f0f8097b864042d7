using System.Security.Cryptography;

namespace BuildKit.Oci;

/// <summary>Writes the small files of a layout, and what replaces an archive: whole, or not at all.</summary>
internal static class OciFile
{
    /// <summary>The content of a file <c>oci-layout</c>.</summary>
    public static ReadOnlyMemory<byte> Version { get; } = """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray();

    /// <summary>Puts a file into the place of another by one rename: whatever happens, the old one or the new one is there.</summary>
    public static void Replace(string path, ReadOnlyMemory<byte> content)
    {
        var partial = Beside(path);
        try
        {
            using (var file = File.OpenHandle(partial, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(file, content.Span, 0);
                Finish(file);
            }
            Move(partial, path);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>A name beside a file, for what is to take its place.</summary>
    public static string Beside(string path)
    {
        var random = Convert.ToHexString(RandomNumberGenerator.GetBytes(8)).ToLowerInvariant();
        return Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{random}.partial");
    }

    /// <summary>Takes away what was not finished. Where that can't be done, there is an error already that matters more.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Brings a file to the disk: without that, a power cut after the rename may leave an empty one.</summary>
    public static void Finish(Microsoft.Win32.SafeHandles.SafeFileHandle file) => RandomAccess.FlushToDisk(file);

    /// <summary>Moves a finished file into the place of another, with its mode.</summary>
    public static void Move(string partial, string path)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(path))
            File.SetUnixFileMode(partial, File.GetUnixFileMode(path));
        File.Move(partial, path, overwrite: true);
    }

    /// <summary>Writes a copy that nothing replaces: <c>NAME.bak</c>, or the first of <c>NAME.bak.1</c>, <c>NAME.bak.2</c> … that is free.</summary>
    /// <returns>Its path.</returns>
    public static string Backup(string path, ReadOnlyMemory<byte> content)
    {
        for (var i = 0; ; i++)
        {
            var backup = i == 0 ? $"{path}.bak" : $"{path}.bak.{i}";
            if (File.Exists(backup))
                continue;
            var partial = Beside(backup);
            try
            {
                File.WriteAllBytes(partial, content.ToArray());
                File.Move(partial, backup, overwrite: false);
                return backup;
            }
            catch (IOException) when (File.Exists(backup))
            {
                // Somebody else has just taken the name.
                File.Delete(partial);
            }
            catch
            {
                File.Delete(partial);
                throw;
            }
        }
    }
}
