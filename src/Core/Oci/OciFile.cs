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
            using (var file = Create(partial, path))
            {
                file.Write(content.Span);
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

    /// <summary>Creates a file that nobody may read who may not read another one: the one whose place it is to take.</summary>
    /// <param name="path">The file; it must not exist.</param>
    /// <param name="like">The other one; where that does not exist, the file gets the usual rights.</param>
    public static FileStream Create(string path, string like)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && File.Exists(like))
            options.UnixCreateMode = File.GetUnixFileMode(like);
        return new FileStream(path, options);
    }

    /// <summary>Creates a file for what is needed for a while, in the directory for temporary files: without a name, so that nobody else can open it, and gone when it is closed.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.TemporaryFileUnwritable</c>.</exception>
    public static FileStream CreateNameless()
    {
        var path = Path.Combine(Path.GetTempPath(), $"buildkit-oci-{Identifier.New()}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, BufferSize = 0 };
        if (OperatingSystem.IsWindows())
            options.Options = FileOptions.DeleteOnClose;
        else
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            var file = new FileStream(path, options);
            // Without a name it goes away with this process, however that ends.
            if (!OperatingSystem.IsWindows())
                File.Delete(path);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.Temporary(e);
        }
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
    public static void Finish(FileStream file) => file.Flush(flushToDisk: true);

    /// <summary>Moves a finished file into the place of another, with its mode.</summary>
    public static void Move(string partial, string path)
    {
        if (!OperatingSystem.IsWindows() && File.Exists(path))
            File.SetUnixFileMode(partial, File.GetUnixFileMode(path));
        File.Move(partial, path, overwrite: true);
    }

    /// <summary>Writes a copy that nothing replaces: <c>NAME.bak</c>, or the first of <c>NAME.bak.1</c>, <c>NAME.bak.2</c> … that is free.</summary>
    /// <param name="path">What is copied.</param>
    /// <param name="content">Its content.</param>
    /// <param name="like">The file that it is from, whose rights the copy gets.</param>
    /// <returns>Its path.</returns>
    public static string Backup(string path, ReadOnlyMemory<byte> content, string like)
    {
        for (var i = 0; ; i++)
        {
            var backup = i == 0 ? $"{path}.bak" : $"{path}.bak.{i}";
            if (File.Exists(backup))
                continue;
            var partial = Beside(backup);
            try
            {
                using (var file = Create(partial, like))
                    file.Write(content.Span);
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
