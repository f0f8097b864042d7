using System.IO.Enumeration;
using BuildKit.Grpc;

namespace BuildKit.Session.FileSend;

/// <summary>
/// A directory as the destination (<c>type=local</c>). Where it does not exist, the output grows beside it and is moved there by one rename. Where it does, the output grows inside it
/// (the directory may be a mount point, and its parent not ours) and is merged as buildx does: what has the same name is replaced, anything else stays.
/// </summary>
internal sealed class DirectoryExportTarget : ExportTarget
{
    private readonly object _lock = new();
    private readonly List<ReceivedTree> _trees = [];
    private StagingArea? _staging;

    /// <param name="destination">The directory; it need not exist, nor its parents.</param>
    /// <exception cref="ExportException">Something else than a directory is there.</exception>
    public DirectoryExportTarget(string destination)
        : base(Path.TrimEndingDirectorySeparator(Path.GetFullPath(destination)))
    {
        if (!Directory.Exists(Destination) && ExportFileSystem.GetKind(Destination) != EntryKind.None)
            throw ExportErrors.Destination(
                Destination, $"The output directory '{Destination}' is not a directory.", "Choose a directory, or a name that does not exist yet.");
    }

    /// <summary>What was received and is no directory, by its path within the destination, before <see cref="CommitAsync"/>.</summary>
    public IReadOnlyList<string> ReceivedFiles()
    {
        lock (_lock)
            return _trees.SelectMany(tree => FilesBelow(tree.Root)).ToList();
    }

    public override ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_staging is null || _trees.Count == 0)
                throw ExportErrors.Incomplete(Destination, "the daemon said that the build succeeded, but it sent nothing");
            if (_trees.Any(tree => !tree.IsComplete))
                throw ExportErrors.Incomplete(Destination, "the daemon said that the build succeeded, but did not send everything");
            foreach (var tree in _trees)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (ExportFileSystem.GetKind(Destination) == EntryKind.None)
                {
                    tree.FinishDirectories(tree.Root);
                    ExportFileSystem.Rename(tree.Root, Destination);
                }
                else
                {
                    DirectoryMerge.Run(tree.Root, Destination, cancellationToken);
                    tree.FinishDirectories(Destination);
                }
                _staging.KeepParents();
            }
            RemoveStaging();
        }
        return ValueTask.CompletedTask;
    }

    // A link is a file here, wherever it leads.
    private static FileSystemEnumerable<string> FilesBelow(string root) => new(
        root, (ref FileSystemEntry entry) => Path.GetRelativePath(root, entry.ToFullPath()), new EnumerationOptions { AttributesToSkip = 0, RecurseSubdirectories = true })
    {
        ShouldIncludePredicate = static (ref FileSystemEntry entry) => !IsRealDirectory(entry),
        ShouldRecursePredicate = static (ref FileSystemEntry entry) => IsRealDirectory(entry),
    };

    private static bool IsRealDirectory(in FileSystemEntry entry) =>
        (entry.Attributes & (FileAttributes.Directory | FileAttributes.ReparsePoint)) == FileAttributes.Directory;

    protected override async Task ReceiveCoreAsync(
        IAsyncStreamReader<FileSendMessage> requests, IServerStreamWriter<FileSendReply> replies, CancellationToken cancellationToken)
    {
        var receiver = new DirectoryReceiver(requests, replies, AddTree(), CountBytes);
        await receiver.ReceiveAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override ValueTask CleanUpAsync()
    {
        lock (_lock)
            RemoveStaging();
        return ValueTask.CompletedTask;
    }

    // A tree a call: with several platforms the daemon sends one for each at the same time, and each is in order by itself only.
    private ReceivedTree AddTree()
    {
        lock (_lock)
        {
            if (_staging is null)
            {
                var staging = Directory.Exists(Destination)
                    ? StagingArea.Create(Destination, "output")
                    : StagingArea.Create(Path.GetDirectoryName(Destination) ?? Destination, Path.GetFileName(Destination));
                try
                {
                    ExportFileSystem.CreateDirectory(new EntryPath(staging.Path, staging.Path, Destination));
                }
                catch (ExportException)
                {
                    staging.RemoveParents();
                    throw;
                }
                _staging = staging;
            }
            var tree = new ReceivedTree(Path.Combine(_staging.Path, _trees.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)), Destination);
            _trees.Add(tree);
            return tree;
        }
    }

    private void RemoveStaging()
    {
        if (_staging is null)
            return;
        foreach (var tree in _trees)
            tree.PrepareRemoval();
        ExportFileSystem.Delete(_staging.Path, EntryKind.Directory);
        _staging.RemoveParents();
        _staging = null;
    }
}
