using System.Text;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>A few files that exist in memory only, all of them in the root: a Dockerfile given as text.</summary>
internal sealed class MemoryFileTree : FileTree
{
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _files = new(StringComparer.Ordinal);
    private readonly long _modTime;

    public MemoryFileTree(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, DateTimeOffset modTime)
    {
        foreach (var (name, content) in files)
        {
            if (name is "" or "." or ".." || name.AsSpan().IndexOfAny('/', '\\', '\0') >= 0)
                throw new ArgumentException($"'{name}' is not the name of a file.", nameof(files));
            _files.Add(name, content);
        }

        _modTime = (modTime - DateTimeOffset.UnixEpoch).Ticks * 100;
    }

    public override bool TryList(ReadOnlySpan<byte> path, DirectoryListing listing)
    {
        listing.Clear();
        if (!path.IsEmpty)
            return false;
        foreach (var name in _files.Keys)
            listing.Add(Encoding.UTF8.GetBytes(name), isDirectory: false);
        listing.Sort();
        return true;
    }

    public override bool TryStat(ReadOnlySpan<byte> path, FileStat stat)
    {
        if (!_files.TryGetValue(Encoding.UTF8.GetString(path), out var content))
            return false;
        stat.Reset(path);
        stat.Mode = 0b110_100_100;
        stat.Size = content.Length;
        stat.ModTime = _modTime;
        stat.LinkCount = 1;
        return true;
    }

    public override FileTreeReader CreateReader() => new Reader(this);

    public override string Display(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path);

    private sealed class Reader(MemoryFileTree tree) : FileTreeReader
    {
        private ReadOnlyMemory<byte> _rest;

        public override void Open(ReadOnlyMemory<byte> path)
        {
            if (!tree._files.TryGetValue(Encoding.UTF8.GetString(path.Span), out _rest))
                throw new FileTreeException(tree.Display(path.Span), "open: no such file", isDenied: false);
        }

        public override int Read(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, _rest.Length);
            _rest.Span[..count].CopyTo(buffer);
            _rest = _rest[count..];
            return count;
        }

        public override void Close() => _rest = default;
    }
}
