using BuildKit.Docker;

namespace BuildKit.Builders.Store;

/// <summary>
/// buildx's store of builders, in its own format and under its own lock, so that both tools see the same (docker/buildx store/, util/confutil): a folder with <c>instances/NAME</c>,
/// <c>activity/NAME</c>, <c>current</c>, <c>defaults/</c> and <c>.lock</c>.
/// </summary>
/// <param name="directory">The folder; it need not exist.</param>
internal sealed class BuilderStore(string directory)
{
    public const string UnreadableId = "BuildKit.BuilderStoreUnreadable";

    /// <summary>The folder.</summary>
    public string Directory { get; } = directory;

    /// <summary>The file that whoever writes holds a lock on.</summary>
    public string LockFile => Path.Combine(Directory, ".lock");

    /// <summary><c>$BUILDX_CONFIG</c>, or <c>buildx</c> beside the docker config.</summary>
    public static BuilderStore Default(DockerConfigFile config, Func<string, string?> getEnvironmentVariable) =>
        new(getEnvironmentVariable("BUILDX_CONFIG") is { Length: > 0 } directory ? directory : Path.Combine(config.Directory, "buildx"));

    /// <summary>Reads the store as it is.</summary>
    public BuilderStoreReader Read() => new(Directory);

    /// <summary>Locks the store, waiting for whoever holds it. Keep it for as short as you can: buildx waits too.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderStoreUnreadable</c>: the folder can't be made or opened.</exception>
    public async Task<BuilderStoreTransaction> LockAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var folder in BuilderStoreTransaction.Folders)
                CreateDirectory(Path.Combine(Directory, folder));
            return new BuilderStoreTransaction(Directory, await StoreLock.TakeAsync(LockFile, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(Directory, e);
        }
    }

    internal static BuildKitException Unreadable(string path, Exception exception) => new(
        UnreadableId, exception is UnauthorizedAccessException ? BuildKitErrorCategory.PermissionDenied : BuildKitErrorCategory.InputOutput,
        $"buildx's store of builders can't be read or written at '{path}': {exception.Message}",
        "Check the rights of the folder, or name another by $env:BUILDX_CONFIG.", exception)
    { Target = path };

    private static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            System.IO.Directory.CreateDirectory(path);
        else
            System.IO.Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
