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

    /// <summary>Something to read files with, one after another. Several may be in use at the same time.</summary>
    public abstract FileTreeReader CreateReader();

    /// <summary>The path as a person knows it.</summary>
    public abstract string Display(ReadOnlySpan<byte> path);
}

/// <summary>Reads one file after another, without an object for each.</summary>
internal abstract class FileTreeReader : IDisposable
{
    /// <summary>Opens a file, and closes the one before it. The path may not change as long as the file is open.</summary>
    public abstract void Open(ReadOnlyMemory<byte> path);

    /// <summary>Reads on; 0 at the end.</summary>
    public abstract int Read(Span<byte> buffer);

    /// <summary>Closes the file that is open, if any.</summary>
    public abstract void Close();

    public void Dispose() => Close();
}
