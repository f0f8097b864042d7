namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// What a <c>STAT</c> packet says of one file (fsutil <c>types.Stat</c>). One object is filled again and again during a walk, so that a walk allocates
/// nothing per file; names are bytes because file names are.
/// </summary>
internal sealed class FileStat
{
    private byte[] _path = new byte[256];
    private byte[] _linkName = new byte[256];
    private int _pathLength;
    private int _linkNameLength;

    /// <summary>The path below the root, with slashes.</summary>
    public ReadOnlySpan<byte> Path => _path.AsSpan(0, _pathLength);

    /// <summary>Go's <c>os.FileMode</c>, see <see cref="GoFileMode"/>.</summary>
    public uint Mode { get; set; }

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    public long Size { get; set; }

    /// <summary>Nanoseconds since 1970.</summary>
    public long ModTime { get; set; }

    public long DevMajor { get; set; }

    public long DevMinor { get; set; }

    /// <summary>The target of a symbolic link, or the path of the first file with this content where this one is a hard link to it.</summary>
    public ReadOnlySpan<byte> LinkName => _linkName.AsSpan(0, _linkNameLength);

    public List<KeyValuePair<byte[], byte[]>> Xattrs { get; } = [];

    /// <summary>Whether this is a socket, which is sent as an empty file. Not on the wire.</summary>
    public bool IsSocket { get; set; }

    /// <summary>How many names the file has, where known. Not on the wire.</summary>
    public uint LinkCount { get; set; }

    /// <summary>What identifies the file among those with several names. Not on the wire.</summary>
    public (ulong Device, ulong Inode) Identity { get; set; }

    public bool IsDirectory => (Mode & GoFileMode.Directory) != 0;

    public bool IsSymlink => (Mode & GoFileMode.Symlink) != 0;

    /// <summary>Whether the receiver may ask for the content (fsutil <c>fileCanRequestData</c>).</summary>
    public bool HasContent => (Mode & GoFileMode.TypeMask) == 0;

    /// <summary>Forgets everything but the path given.</summary>
    public void Reset(ReadOnlySpan<byte> path)
    {
        Set(ref _path, ref _pathLength, path);
        _linkNameLength = 0;
        Mode = Uid = Gid = LinkCount = 0;
        Size = ModTime = DevMajor = DevMinor = 0;
        IsSocket = false;
        Identity = default;
        Xattrs.Clear();
    }

    public void SetLinkName(ReadOnlySpan<byte> name) => Set(ref _linkName, ref _linkNameLength, name);

    private static void Set(ref byte[] buffer, ref int length, ReadOnlySpan<byte> value)
    {
        if (buffer.Length < value.Length)
            buffer = new byte[value.Length * 2];
        value.CopyTo(buffer);
        length = value.Length;
    }
}
