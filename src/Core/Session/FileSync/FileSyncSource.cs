using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>Files that the daemon may ask for under a name: <c>context</c>, <c>dockerfile</c>, or that of a further local source.</summary>
internal sealed record FileSyncSource
{
    private readonly Func<FileTree> _open;

    private FileSyncSource(string name, Func<FileTree> open)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        _open = open;
    }

    /// <summary>The <c>dir-name</c> that the daemon asks for.</summary>
    public string Name { get; }

    /// <summary>The directory that holds them; null for files in memory.</summary>
    public string? Directory { get; private init; }

    /// <summary>Whether owners are sent as they are. Otherwise they are 0, as for the context of a Dockerfile.</summary>
    public bool KeepOwner { get; init; }

    /// <summary>
    /// Whether names that are not UTF-8 are sent as they are. buildkitd takes them; a Docker Engine's decoder since 27 does not, so that by default they are an
    /// error that names the file.
    /// </summary>
    public bool AllowNonUtf8Names { get; init; }

    /// <summary>Patterns, as in a <c>.dockerignore</c>, of what is not sent whatever the daemon asks for; they come after the daemon's own.</summary>
    public IReadOnlyList<string> ExcludePatterns { get; init; } = [];

    /// <summary>A directory. A <c>.dockerignore</c> in it is the daemon's business: it reads it and asks with exclude patterns.</summary>
    /// <param name="name">What the daemon calls it.</param>
    /// <param name="path">An absolute path; a symbolic link is followed. Throws <see cref="BuildContextException"/> if there is no such directory.</param>
    public static FileSyncSource FromDirectory(string name, string path)
    {
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not an absolute path.", nameof(path));
        if (!System.IO.Directory.Exists(path))
            throw BuildContextException.NotFound(path);
        return new FileSyncSource(name, () => LinuxNative.IsSupported ? new LinuxFileTree(path) : new PortableFileTree(path)) { Directory = path };
    }

    /// <summary>Files that exist in memory only.</summary>
    /// <param name="name">What the daemon calls them.</param>
    /// <param name="files">The content by name; all of them are in the root.</param>
    /// <param name="modTime">
    /// Their modification time; now, if null. A daemon that has had a file of the same name, size and time from the same source may not ask for it again.
    /// </param>
    public static FileSyncSource FromFiles(string name, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, DateTimeOffset? modTime = null)
    {
        var tree = new MemoryFileTree(files, modTime ?? DateTimeOffset.UtcNow);
        return new FileSyncSource(name, () => tree);
    }

    /// <summary>The files, for one transfer.</summary>
    public FileTree Open() => _open();
}
