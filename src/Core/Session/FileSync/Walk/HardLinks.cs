namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// Remembers the first path of every file that has several names, so that the others are sent as links to it. Only what is sent is remembered, so that no link
/// leads to a file that was filtered out. Upstream goes by the inode alone; here, files of two file systems are never taken for one.
/// </summary>
internal sealed class HardLinks
{
    private readonly Dictionary<(ulong Device, ulong Inode), int> _first = [];
    private readonly PathTable _paths = new();
    private byte[] _path = [];

    /// <summary>Makes <paramref name="stat"/> a link if its content was sent before.</summary>
    public void Apply(FileStat stat)
    {
        if (stat.LinkCount < 2 || stat.IsDirectory || stat.IsSymlink)
            return;
        if (_first.TryGetValue(stat.Identity, out var index))
        {
            var length = _paths.Read(index, ref _path);
            stat.SetLinkName(_path.AsSpan(0, length));
        }
        else
        {
            _first.Add(stat.Identity, _paths.Add(stat.Path, 0));
        }
    }
}
