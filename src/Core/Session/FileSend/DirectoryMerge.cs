namespace BuildKit.Session.FileSend;

/// <summary>
/// Moves a received tree into an existing directory as fsutil's disk writer does with <c>Merge</c>: directories are joined, anything else of the same name is replaced,
/// a file by a directory and the other way round, too. A link at the destination is replaced like a file and never followed, wherever it leads.
/// </summary>
internal static class DirectoryMerge
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <param name="source">A directory; it is left with nothing but the directories that were joined.</param>
    /// <param name="destination">A directory on the same file system.</param>
    /// <param name="cancellationToken">Stops between two entries.</param>
    public static void Run(string source, string destination, CancellationToken cancellationToken)
    {
        // Taken as a whole: an enumeration may miss entries when some are moved away meanwhile.
        FileSystemInfo[] entries = [];
        ExportFileSystem.Guard(source, path => entries = new DirectoryInfo(path).GetFileSystemInfos("*", Everything));
        foreach (var entry in entries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isDirectory = (entry.Attributes & (FileAttributes.Directory | FileAttributes.ReparsePoint)) == FileAttributes.Directory;
            var to = Path.Combine(destination, entry.Name);
            var existing = ExportFileSystem.GetKind(to);
            if (isDirectory && existing == EntryKind.Directory)
            {
                Run(entry.FullName, to, cancellationToken);
                continue;
            }
            if (existing == EntryKind.Directory || (isDirectory && existing != EntryKind.None))
                ExportFileSystem.Delete(to, existing);
            ExportFileSystem.Rename(entry.FullName, to);
        }
    }
}
