using System.Management.Automation;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>What <c>-Context</c> says: a folder or a URL that the daemon fetches, or a stream with an archive or a Dockerfile.</summary>
/// <param name="Location">An absolute path of a folder, or a URL; null for a stream.</param>
/// <param name="Stream">The stream, or null.</param>
/// <param name="Name">What to call it.</param>
internal sealed record ContextArgument(string? Location, Stream? Stream, string Name) : IDisposable
{
    private const string StandardInput = "-";

    // The names by which an object from the pipeline says where it lies, as parameters with these aliases would be bound.
    private static readonly string[] PathProperties = ["Context", "FullName", "PSPath", "Path"];

    // A file of another name is more likely the Dockerfile than the context.
    private static readonly string[] ArchiveNames = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"];

    private bool IsOwned { get; init; }

    /// <summary>Reads the value. A folder of that name wins over a URL, as it does for docker.</summary>
    /// <param name="session">The session.</param>
    /// <param name="value">What was bound.</param>
    /// <returns>The context; disposing it closes what was opened here.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.ContextNotFound</c>, or the path is none of the file system.</exception>
    public static ContextArgument Read(SessionState session, object? value)
    {
        switch (PSValue.Unwrap(value))
        {
            case Stream { CanRead: false }:
                throw new BuildKitException(
                    "BuildKit.ContextUnreadable", BuildKitErrorCategory.InvalidArgument, "The stream that is to be the context can't be read: it is closed, or there for writing only.",
                    "Open it for reading, and close it after the build.");
            case Stream stream:
                return new ContextArgument(null, stream, "the stream");
            case byte[] bytes:
                return new ContextArgument(null, new MemoryStream(bytes, writable: false), "the archive");
            case StandardInput:
                return FromStandardInput();
            case FileSystemInfo item:
                return FromPath(session, item.FullName);
            case string text:
                return FromPath(session, text);
            case var other:
                return FromPath(session, PathOf(other));
        }
    }

    /// <summary>Reads bytes from the pipeline: a single one, an array, or the list of boxed ones that <c>Get-Content -ReadCount</c> makes.</summary>
    /// <param name="value">What was bound.</param>
    /// <returns>The bytes, or null where it is something else.</returns>
    public static byte[]? ReadBytes(object? value) => PSValue.Unwrap(value) switch
    {
        byte one => [one],
        byte[] many => many,
        object[] { Length: > 0 } boxed when Array.TrueForAll(boxed, item => PSValue.Unwrap(item) is byte) =>
            Array.ConvertAll(boxed, item => (byte)PSValue.Unwrap(item)!),
        _ => null,
    };

    /// <summary>Whether a text is a URL that the daemon fetches. A folder of that name wins, as it does for docker.</summary>
    public static bool IsRemote(SessionState session, string text) =>
        SolveRequest.IsRemoteContext(text) && !Directory.Exists(Path.Combine(session.Path.CurrentFileSystemLocation.ProviderPath, text));

    /// <summary>Whether a file is an archive by its name.</summary>
    public static bool IsArchive(string path) => Array.Exists(ArchiveNames, name => path.EndsWith(name, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsOwned)
            Stream?.Dispose();
    }

    private static ContextArgument FromPath(SessionState session, string context)
    {
        if (IsRemote(session, context))
            return new ContextArgument(context, null, context);
        var path = FileSystemPath.Resolve(session, context);
        if (Directory.Exists(path))
            return new ContextArgument(path, null, context);
        if (!File.Exists(path) || !IsArchive(path))
            throw NotFound(context, path);
        try
        {
            var file = new FileStream(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
            return new ContextArgument(null, file, context) { IsOwned = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BuildKitException(
                "BuildKit.ContextUnreadable", BuildKitErrorCategory.InputOutput, $"The context '{path}' can't be read: {e.Message}", "Check the file's rights.", e)
            { Target = path };
        }
    }

    private static ContextArgument FromStandardInput() => Console.IsInputRedirected
        ? new ContextArgument(null, Console.OpenStandardInput(), "the standard input") { IsOwned = true }
        : throw new BuildKitException(
            "BuildKit.ContextNotFound", BuildKitErrorCategory.InvalidArgument, "The context '-' is the standard input of this PowerShell, and nothing is sent there.",
            "Pipe the bytes of an archive to the command (Get-Content context.tar -AsByteStream -ReadCount 65536 | Invoke-BuildKitSolve), or give the archive's path.");

    private static string PathOf(object? value)
    {
        var properties = value is null ? null : PSObject.AsPSObject(value).Properties;
        foreach (var name in PathProperties)
        {
            if (properties?[name]?.Value?.ToString() is { Length: > 0 } path)
                return path;
        }
        return value?.ToString() ?? string.Empty;
    }

    private static BuildKitException NotFound(string context, string path)
    {
        var (category, message, action) = File.Exists(path)
            ? (BuildKitErrorCategory.InvalidArgument, $"The context '{context}' is a file, neither a folder nor an archive by its name.",
                "Give the folder that holds what the Dockerfile copies; -Dockerfile names the file. An archive ends with .tar, .tar.gz, .tar.bz2 or .tar.xz, or is given as a stream.")
            : (BuildKitErrorCategory.NotFound, $"The context '{context}' does not exist: there is no folder '{path}'.", "Give a folder, an archive, or a git or http URL.");
        return new BuildKitException("BuildKit.ContextNotFound", category, message, action) { Target = path };
    }
}
