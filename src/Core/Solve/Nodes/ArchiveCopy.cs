using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Nodes;

/// <summary>A context that comes as a stream, kept in a temporary file so that each node can read it from its beginning.</summary>
internal sealed class ArchiveCopy : IAsyncDisposable
{
    private const int ChunkSize = 128 * 1024;

    private readonly FileStream _file;
    private readonly List<FileStream> _readers = [];

    private ArchiveCopy(FileStream file) => _file = file;

    /// <summary>Reads the whole stream, which stays the caller's.</summary>
    /// <param name="archive">The stream.</param>
    /// <param name="folder">Where the copy is kept as long as it is needed.</param>
    /// <param name="cancellationToken">Ends it; nothing stays then.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.ContextUnreadable</c>, <c>BuildKit.ContextNotKept</c>.</exception>
    public static async Task<ArchiveCopy> CreateAsync(Stream archive, string folder, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.Read | FileShare.Delete,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
            BufferSize = 0, // what can't be written is found out at once, and not when it is closed
        };
        // A context is nobody else's.
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        FileStream file = null!;
        await GuardAsync(folder, () =>
        {
            file = new FileStream(Path.Combine(folder, $"buildkit-{Identifier.New()}"), options);
            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);
        var copy = new ArchiveCopy(file);
        try
        {
            var buffer = new byte[ChunkSize];
            var length = -1;
            while (length != 0)
            {
                await ContextArchives.GuardAsync(async () => length = await archive.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
                await GuardAsync(folder, () => file.WriteAsync(buffer.AsMemory(0, length), cancellationToken)).ConfigureAwait(false);
            }
            return copy;
        }
        catch
        {
            await copy.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A stream of all of it, which ends with the copy.</summary>
    public Stream Open()
    {
        var reader = new FileStream(_file.Name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous);
        lock (_readers)
            _readers.Add(reader);
        return reader;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var reader in _readers)
            await reader.DisposeAsync().ConfigureAwait(false);
        await _file.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task GuardAsync(string folder, Func<ValueTask> write)
    {
        try
        {
            await write().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BuildKitException(
                "BuildKit.ContextNotKept", BuildKitErrorCategory.InputOutput, $"The archive that stands for the context can't be kept for the nodes in '{folder}': {e.Message}",
                OperatingSystem.IsWindows() ? "Free some space there, or name another folder by $env:TEMP." : "Free some space there, or name another folder by $env:TMPDIR.", e)
            { Target = folder };
        }
    }
}
