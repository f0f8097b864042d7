namespace BuildKit.Session.FileSend;

/// <summary>
/// A directory tree as it is received, in a directory of its own that did not exist before: so no link that lay there can lead out of it, and <see cref="ExportPathValidator"/>
/// keeps those out that were sent. Directories get their modes and times only by <see cref="FinishDirectories"/>, because writing into them changes the one and may need the other.
/// </summary>
internal sealed class ReceivedTree
{
    private readonly List<(string Path, EntryMetadata Metadata)> _directories = [];
    private readonly List<(string Path, string Target)> _hardLinks = [];
    private bool _finished;

    /// <param name="root">Where the tree grows; it is created.</param>
    /// <param name="destination">What a person calls the output.</param>
    public ReceivedTree(string root, string destination)
    {
        Root = root;
        Destination = destination;
        ExportFileSystem.CreateDirectory(new EntryPath(root, root, destination));
    }

    /// <summary>Where the tree lies; the last component changes when it is moved into place.</summary>
    public string Root { get; }

    public string Destination { get; }

    /// <summary>Whether everything arrived.</summary>
    public bool IsComplete { get; private set; }

    public EntryPath PathOf(string path) => new($"{Root}{Path.DirectorySeparatorChar}{path}", Root, Destination);

    public void AddDirectory(string path, in EntryMetadata metadata)
    {
        ExportFileSystem.CreateDirectory(PathOf(path));
        _directories.Add((path, metadata));
    }

    public void AddSymbolicLink(string path, string target, in EntryMetadata metadata)
    {
        if (target.Length == 0 || target.Contains('\0', StringComparison.Ordinal))
            throw ExportErrors.UnsafePath(Destination, path, "it is a symbolic link to an impossible target");
        var full = PathOf(path);
        ExportFileSystem.CreateSymbolicLink(full, target);
        ExportFileSystem.SetMetadata(full, metadata);
    }

    public void AddSpecial(string path, in ReceivedStat stat)
    {
        var full = PathOf(path);
        ExportFileSystem.CreateSpecial(full, stat.Metadata.Mode, stat.DevMajor, stat.DevMinor);
        ExportFileSystem.SetMetadata(full, stat.Metadata);
    }

    /// <summary>Remembers a hard link; its target may still be waiting for its content.</summary>
    public void AddHardLink(string path, string target) => _hardLinks.Add((path, target));

    /// <summary>Makes the hard links once all files are there.</summary>
    public void Complete()
    {
        foreach (var (path, target) in _hardLinks)
        {
            // The target's parents have to be directories themselves: through a link that was sent, it would lie outside.
            for (var slash = target.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = target.IndexOf('/', slash + 1))
                if (ExportFileSystem.GetKind(PathOf(target[..slash]).Path) != EntryKind.Directory)
                    throw BadLink(path, target);
            if (ExportFileSystem.GetKind(PathOf(target).Path) != EntryKind.Other)
                throw BadLink(path, target);
            ExportFileSystem.CreateHardLink(PathOf(path), PathOf(target).Path);
        }
        _hardLinks.Clear();
        IsComplete = true;
    }

    /// <summary>Gives the directories their modes and times, the deepest first.</summary>
    /// <param name="root">Where the tree lies now.</param>
    public void FinishDirectories(string root)
    {
        _finished = true;
        for (var i = _directories.Count - 1; i >= 0; i--)
            ExportFileSystem.SetMetadata(new EntryPath($"{root}{Path.DirectorySeparatorChar}{_directories[i].Path}", root, Destination), _directories[i].Metadata);
    }

    /// <summary>Lets what is left of a finished tree be removed, whatever the modes of its directories.</summary>
    public void PrepareRemoval()
    {
        if (!_finished)
            return;
        foreach (var (path, _) in _directories)
        {
            var full = PathOf(path).Path;
            if (ExportFileSystem.GetKind(full) == EntryKind.Directory)
                ExportFileSystem.MakeWritable(full);
        }
    }

    private ExportException BadLink(string path, string target) =>
        ExportErrors.UnsafePath(Destination, path, $"it is a hard link to {ExportErrors.Quote(target)}, which was not sent as a file");
}
