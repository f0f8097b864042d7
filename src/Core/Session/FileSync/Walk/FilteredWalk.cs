namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// Walks a tree in the order in which the receiver wants to be told of it: a directory before what is in it, the entries of a directory by the bytes of their
/// names. Gives what a filter keeps, and before the first such entry of a directory that is not kept itself, that directory (fsutil <c>filterFS.Walk</c>).
/// Whatever vanishes in the meantime is left out; upstream then leaves out the rest of its directory too.
/// </summary>
internal sealed class FilteredWalk(FileTree tree, FileFilter filter) : IDisposable
{
    private readonly HardLinks _hardLinks = new();
    private readonly FileStat _entry = new();
    private readonly FileStat _parent = new();

    // The directories being walked are the first _depth of these; those after them are kept to be used again.
    private readonly List<Level> _levels = [];
    private int _depth;
    private byte[] _path = new byte[256];
    private State _state = State.AtRoot;
    private bool _entryIsDirectory;

    private enum State
    {
        AtRoot,
        Between,

        /// <summary>An entry is to be given, once the directories above it have been.</summary>
        HasEntry,

        /// <summary>The entry has been given and may be a directory to be entered.</summary>
        GaveEntry,
    }

    /// <summary>What the last <see cref="MoveNext"/> found; valid until the next.</summary>
    public FileStat Current { get; private set; } = new();

    /// <summary>Goes to the next file; false at the end. Throws what a <see cref="FileTree"/> throws, and <see cref="Patterns.BadPatternException"/>.</summary>
    public bool MoveNext()
    {
        while (true)
        {
            switch (_state)
            {
                case State.AtRoot:
                    _state = State.Between;
                    if (!TryEnter(pathLength: 0, kept: true))
                        throw new FileTreeException(tree.Display([]), "open: no such directory", isDenied: false);
                    break;
                case State.HasEntry:
                    Current = NextParent() ?? _entry;
                    if (_state == State.Between)
                        break;
                    if (Current == _entry)
                        _state = State.GaveEntry;
                    return true;
                case State.GaveEntry:
                    _state = State.Between;
                    if (_entryIsDirectory)
                        TryEnter(_entry.Path.Length, kept: true);
                    break;
                case State.Between when _depth == 0:
                    return false;
                case State.Between:
                    var level = _levels[_depth - 1];
                    if (level.Next < level.Listing.Count)
                        Visit(level, level.Next++);
                    else
                        _depth--;
                    break;
            }
        }
    }

    public void Dispose()
    {
        foreach (var level in _levels)
            level.Listing.Dispose();
        _levels.Clear();
        _depth = 0;
    }

    private void Visit(Level level, int index)
    {
        var pathLength = Append(level.PathLength, level.Listing.Name(index));
        var path = _path.AsSpan(0, pathLength);
        var isDirectory = level.Listing.IsDirectory(index);
        var below = LevelAt(_depth);
        var isRoot = _depth == 1;
        var result = filter.Match(path, isDirectory, isRoot ? [] : level.Included, isRoot ? [] : level.Excluded, below.Included, below.Excluded);
        if (result == FilterResult.Skip && isDirectory)
        {
            TryEnter(pathLength, kept: false);
        }
        else if (result == FilterResult.Keep && tree.TryStat(path, _entry))
        {
            _hardLinks.Apply(_entry);
            _entryIsDirectory = isDirectory;
            _state = State.HasEntry;
        }
    }

    /// <summary>The outermost directory that has not been given yet. Where it has vanished, so has the entry.</summary>
    private FileStat? NextParent()
    {
        for (var depth = 1; depth < _depth; depth++)
        {
            var level = _levels[depth];
            if (level.Given)
                continue;
            level.Given = tree.TryStat(_path.AsSpan(0, level.PathLength), _parent);
            if (level.Given)
                return _parent;
            _state = State.Between;
            return null;
        }

        return null;
    }

    /// <summary>Lists the directory that the path leads to, whose match results have been put into the next level. False if there is none (any more).</summary>
    private bool TryEnter(int pathLength, bool kept)
    {
        var level = LevelAt(_depth);
        try
        {
            if (!tree.TryList(_path.AsSpan(0, pathLength), level.Listing))
                return false;
        }
        catch (FileTreeException e) when (!kept && e.IsDenied)
        {
            // What is left out may be unreadable.
            return false;
        }

        level.PathLength = pathLength;
        level.Given = kept;
        level.Next = 0;
        _depth++;
        return true;
    }

    private Level LevelAt(int depth)
    {
        if (_levels.Count == depth)
            _levels.Add(new Level(filter));
        return _levels[depth];
    }

    private int Append(int directoryLength, ReadOnlySpan<byte> name)
    {
        var start = directoryLength == 0 ? 0 : directoryLength + 1;
        if (_path.Length < start + name.Length)
            Array.Resize(ref _path, 2 * (start + name.Length));
        if (start > 0)
            _path[directoryLength] = (byte)'/';
        name.CopyTo(_path.AsSpan(start));
        return start + name.Length;
    }

    private sealed class Level(FileFilter filter)
    {
        public DirectoryListing Listing { get; } = new();

        /// <summary>Which patterns matched this directory.</summary>
        public bool[] Included { get; } = new bool[filter.IncludeCount];

        public bool[] Excluded { get; } = new bool[filter.ExcludeCount];

        public int PathLength { get; set; }

        /// <summary>Whether the directory itself has been given.</summary>
        public bool Given { get; set; }

        /// <summary>The next entry to look at.</summary>
        public int Next { get; set; }
    }
}
