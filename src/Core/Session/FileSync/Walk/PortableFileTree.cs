using System.IO.Enumeration;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// A directory by .NET's own file API: on Windows, where modes are made up as upstream does (0755), and on macOS, where hard links are sent as separate files
/// and extended attributes, owners and special files are not sent, because that would need structures that could not be tried out.
/// </summary>
internal sealed class PortableFileTree(string root) : FileTree
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public override bool TryList(ReadOnlySpan<byte> path, DirectoryListing listing)
    {
        listing.Clear();
        try
        {
            var entries = new FileSystemEnumerable<(string Name, bool IsDirectory)>(
                Full(path), static (ref FileSystemEntry entry) => (entry.FileName.ToString(), IsPlainDirectory(ref entry)), Everything);
            foreach (var (name, isDirectory) in entries)
            {
                // On unix a name that is not UTF-8 is read as another one, that does not exist.
                if (name.Contains('\ufffd') && !Path.Exists(Path.Join(Full(path), name)))
                    throw NotUnicode(path, name);
                listing.Add(ToBytes(path, name), isDirectory);
            }
        }
        catch (IOException e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException and not FileTreeException or UnauthorizedAccessException)
        {
            throw Failure(path, e);
        }

        listing.Sort();
        return true;
    }

    public override bool TryStat(ReadOnlySpan<byte> path, FileStat stat)
    {
        try
        {
            return TryStat(path, new FileInfo(Full(path)), stat);
        }
        catch (Exception e) when (e is IOException and not FileTreeException or UnauthorizedAccessException)
        {
            throw Failure(path, e);
        }
    }

    private bool TryStat(ReadOnlySpan<byte> path, FileInfo info, FileStat stat)
    {
        if ((int)info.Attributes == -1)
            return false;
        stat.Reset(path);
        var isDirectory = (info.Attributes & FileAttributes.Directory) != 0;
        var target = (info.Attributes & FileAttributes.ReparsePoint) != 0 ? info.LinkTarget : null;
        stat.Mode = target is not null ? GoFileMode.Symlink : isDirectory ? GoFileMode.Directory : 0;
        if (OperatingSystem.IsWindows())
            stat.Mode |= WindowsPermissions(info.Attributes);
        else
            stat.Mode |= target is not null ? 0b111_111_111 : GoFileMode.FromUnix((uint)info.UnixFileMode);
        stat.LinkCount = 1;
        stat.ModTime = (info.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * 100;
        if (target is not null)
        {
            var name = ToBytes(path, target);
            stat.SetLinkName(name);
            stat.Size = OperatingSystem.IsWindows() ? 0 : name.Length;
        }
        else if (!isDirectory)
        {
            stat.Size = info.Length;
        }

        return true;
    }

    public override FileTreeReader CreateReader() => new Reader(this);

    public override string Display(ReadOnlySpan<byte> path) => Full(path);

    private static bool IsPlainDirectory(ref FileSystemEntry entry) =>
        entry.IsDirectory && ((entry.Attributes & FileAttributes.ReparsePoint) == 0 || entry.ToFileSystemInfo().LinkTarget is null);

    /// <summary>Go's 0666 (0444 where read-only) with the x bits added and no others' w bits, as upstream.</summary>
    private static uint WindowsPermissions(FileAttributes attributes) => (attributes & FileAttributes.ReadOnly) != 0 ? 0b101_101_101u : 0b111_101_101u;

    private string Full(ReadOnlySpan<byte> path) =>
        path.IsEmpty ? root : Path.Join(root, Encoding.UTF8.GetString(path).Replace('/', Path.DirectorySeparatorChar));

    private byte[] ToBytes(ReadOnlySpan<byte> path, string name)
    {
        try
        {
            return Strict.GetBytes(OperatingSystem.IsWindows() ? name.Replace('\\', '/') : name);
        }
        catch (EncoderFallbackException)
        {
            throw NotUnicode(path, name);
        }
    }

    private FileTreeException NotUnicode(ReadOnlySpan<byte> path, string name) =>
        new(Path.Join(Full(path), name), "the name is no valid Unicode", isDenied: false);

    private FileTreeException Failure(ReadOnlySpan<byte> path, Exception error) => new(Full(path), error.Message, error is UnauthorizedAccessException, error);

    private sealed class Reader(PortableFileTree tree) : FileTreeReader
    {
        private SafeFileHandle? _handle;
        private ReadOnlyMemory<byte> _path;
        private long _offset;

        public override void Open(ReadOnlyMemory<byte> path)
        {
            Close();
            var full = tree.Full(path.Span);
            // Opening a pipe would wait for its writer; whatever looks empty is not opened.
            if (!OperatingSystem.IsWindows() && new FileInfo(full) is { Exists: true, Length: 0 })
                return;
            try
            {
                _handle = File.OpenHandle(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw tree.Failure(path.Span, e);
            }

            (_path, _offset) = (path, 0);
        }

        public override int Read(Span<byte> buffer)
        {
            if (_handle is null)
                return 0;
            try
            {
                var count = RandomAccess.Read(_handle, buffer, _offset);
                _offset += count;
                return count;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw tree.Failure(_path.Span, e);
            }
        }

        public override void Close()
        {
            _handle?.Dispose();
            _handle = null;
        }
    }
}
