namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// The files of one source. Paths are relative, slash-separated bytes, empty for the root. Every failure is a <see cref="FileTreeException"/>. The calls
/// block: they take microseconds where the kernel has the data, and .NET has no asynchronous ones that would not occupy a thread just the same.
/// </summary>
internal abstract class FileTree
{
    /// <summary>Lists a directory; false if there is none (any more).</summary>
    public abstract bool TryList(ReadOnlySpan<byte> path, DirectoryListing listing);

    /// <summary>Looks at a file without following a symbolic link; false if there is none (any more).</summary>
    public abstract bool TryStat(ReadOnlySpan<byte> path, FileStat stat);

    /// <summary>Opens a file to be read from its beginning. Safe to be called from several threads.</summary>
    public abstract FileTreeReader Open(ReadOnlySpan<byte> path);

    /// <summary>The path as a person knows it.</summary>
    public abstract string Display(ReadOnlySpan<byte> path);
}

/// <summary>A file that is being read.</summary>
internal abstract class FileTreeReader : IDisposable
{
    /// <summary>Reads on; 0 at the end.</summary>
    public abstract int Read(Span<byte> buffer);

    public abstract void Dispose();
}
