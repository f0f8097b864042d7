using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Nodes;

/// <summary>A context that comes as a stream, kept in a temporary file so that each node can read it from its beginning.</summary>
internal sealed class ArchiveCopy : IAsyncDisposable
{
    private readonly FileStream _file;
    private readonly List<FileStream> _readers = [];

    private ArchiveCopy(FileStream file) => _file = file;

    /// <summary>Reads the whole stream, which stays the caller's.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.ContextUnreadable</c>.</exception>
    public static async Task<ArchiveCopy> CreateAsync(Stream archive, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.Read | FileShare.Delete,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        };
        // A context is nobody else's.
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var copy = new ArchiveCopy(new FileStream(Path.Combine(Path.GetTempPath(), $"buildkit-{Identifier.New()}"), options));
        try
        {
            await ContextArchives.GuardAsync(() => archive.CopyToAsync(copy._file, cancellationToken)).ConfigureAwait(false);
            await copy._file.FlushAsync(cancellationToken).ConfigureAwait(false);
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
}
