using System.Text;
using System.Text.Unicode;

namespace BuildKit.Session.FileSend;

/// <summary>
/// Holds the sequence of entries to fsutil's rules (fsutil validator.go): relative clean paths, strictly ascending with '/' as the lowest byte, every parent sent before as a directory.
/// So a path that passed can only lie in a directory that this same transfer created.
/// </summary>
internal sealed class ExportPathValidator(string destination)
{
    // NAME_MAX of every file system in use; Windows counts UTF-16 units, of which there are never more than UTF-8 bytes.
    private const int MaxNameLength = 255;

    private readonly List<Level> _levels = [new Level([])];

    /// <summary>Accepts the next path of the sequence, or throws.</summary>
    /// <param name="path">The path as sent, with '/' between its components.</param>
    /// <param name="isDirectory">Whether entries below it may follow.</param>
    /// <returns>The path as text.</returns>
    public string Next(ReadOnlySpan<byte> path, bool isDirectory)
    {
        var text = Check(path);
        var slash = path.LastIndexOf((byte)'/');
        var parent = slash < 0 ? default : path[..slash];
        var name = path[(slash + 1)..];

        var depth = _levels.Count - 1;
        while (!_levels[depth].Directory.AsSpan().SequenceEqual(parent))
        {
            if (--depth < 0)
                throw ExportErrors.UnsafePath(destination, text, "its parent was not sent as a directory right before, or the entries are out of order");
        }
        _levels.RemoveRange(depth + 1, _levels.Count - depth - 1);
        var level = _levels[depth];
        if (level.Last.SequenceCompareTo(name) >= 0)
            throw ExportErrors.UnsafePath(destination, text, "the entries are out of order, or it was sent twice");
        level.SetLast(name);
        if (isDirectory)
            _levels.Add(new Level(path.ToArray()));
        return text;
    }

    /// <summary>Checks the target of a hard link, which has to be an entry sent before.</summary>
    public string CheckLink(ReadOnlySpan<byte> path, ReadOnlySpan<byte> linkname)
    {
        var target = Check(linkname);
        // The sequence ascends, so that whatever was sent before is lower than this entry.
        if (Compare(linkname, path) >= 0)
            throw ExportErrors.UnsafePath(destination, Encoding.UTF8.GetString(path), $"it is a hard link to {ExportErrors.Quote(target)}, which was not sent before");
        return target;
    }

    /// <summary>Whether Windows can have a file of that name.</summary>
    internal static bool IsWindowsName(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
            if (c < ' ' || "<>:\"\\|?*".Contains(c, StringComparison.Ordinal))
                return false;
        if (name[^1] is '.' or ' ')
            return false;
        var dot = name.IndexOf('.');
        var stem = (dot < 0 ? name : name[..dot]).TrimEnd(' ');
        foreach (var device in (ReadOnlySpan<string>)["CON", "PRN", "AUX", "NUL"])
            if (stem.Equals(device, StringComparison.OrdinalIgnoreCase))
                return false;
        return !(stem.Length == 4 && (stem.StartsWith("COM", StringComparison.OrdinalIgnoreCase) || stem.StartsWith("LPT", StringComparison.OrdinalIgnoreCase))
            && (char.IsAsciiDigit(stem[3]) || stem[3] is '\u00B9' or '\u00B2' or '\u00B3'));
    }

    private string Check(ReadOnlySpan<byte> path)
    {
        var text = Encoding.UTF8.GetString(path);
        if (path.IsEmpty)
            throw ExportErrors.UnsafePath(destination, text, "it is empty");
        if (path.Contains((byte)0))
            throw ExportErrors.UnsafePath(destination, text, "it contains a NUL");
        if (path[0] == '/')
            throw ExportErrors.UnsafePath(destination, text, "it is absolute");
        if (!Utf8.IsValid(path))
            throw ExportErrors.Unsupported(destination, $"The output holds a name that is not UTF-8: {ExportErrors.Quote(text)}.", "Export a tar (type=tar), which keeps the name's bytes.");
        var rest = path;
        while (true)
        {
            var slash = rest.IndexOf((byte)'/');
            CheckName(slash < 0 ? rest : rest[..slash], text);
            if (slash < 0)
                return text;
            rest = rest[(slash + 1)..];
        }
    }

    private void CheckName(ReadOnlySpan<byte> name, string path)
    {
        if (name.IsEmpty)
            throw ExportErrors.UnsafePath(destination, path, "it has an empty component");
        if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            throw ExportErrors.UnsafePath(destination, path, "it contains '.' or '..'");
        if (name.Length > MaxNameLength)
            throw ExportErrors.NameTooLong(path);
        if (OperatingSystem.IsWindows() && !IsWindowsName(Encoding.UTF8.GetString(name)))
            throw ExportErrors.Unsupported(destination, $"The output holds a name that Windows can't have: {ExportErrors.Quote(path)}.", "Export a tar (type=tar) instead of a directory.");
    }

    // fsutil's ComparePath: bytewise, with '/' below every other byte, so that a directory's entries come right after it.
    private static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var common = left.CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
            return left.Length - right.Length;
        if (left[common] == '/')
            return -1;
        return right[common] == '/' ? 1 : left[common] - right[common];
    }

    private sealed class Level(byte[] directory)
    {
        private byte[] _last = new byte[64];
        private int _length;

        public byte[] Directory { get; } = directory;

        public ReadOnlySpan<byte> Last => _last.AsSpan(0, _length);

        public void SetLast(ReadOnlySpan<byte> name)
        {
            if (name.Length > _last.Length)
                _last = new byte[MaxNameLength];
            name.CopyTo(_last);
            _length = name.Length;
        }
    }
}
