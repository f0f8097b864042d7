using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;

namespace BuildKit.Module.Binding;

/// <summary>Makes absolute paths of the file system out of what a person writes: relative to the session's location, with drives and <c>~</c>.</summary>
internal static class FileSystemPath
{
    /// <summary>Resolves a path, which need not exist. Wildcards are not expanded.</summary>
    /// <param name="session">The session.</param>
    /// <param name="path">The path, or null for none.</param>
    /// <returns>An absolute path as the operating system knows it; null for none.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidPath</c>: it is on no drive, or on one that holds no files.</exception>
    [return: NotNullIfNotNull(nameof(path))]
    public static string? Resolve(SessionState session, string? path)
    {
        if (path is null)
            return null;
        try
        {
            var resolved = session.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            if (provider.Name != "FileSystem")
                throw Invalid(path, $"'{path}' is on a drive of the provider {provider.Name}, which holds no files.", null);
            // A folder's trailing separator would change its name.
            return resolved.Length > 1 ? Path.TrimEndingDirectorySeparator(resolved) : resolved;
        }
        catch (Exception e) when (e is SessionStateException or ProviderInvocationException or PSInvalidOperationException or PSArgumentException)
        {
            throw Invalid(path, e.Message, e);
        }
    }

    /// <summary>Resolves a path in which wildcards are expanded.</summary>
    /// <param name="session">The session.</param>
    /// <param name="path">The path.</param>
    /// <returns>Absolute paths as the operating system knows them; none where nothing matches the wildcards, and one that need not exist where there are none.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidPath</c>: it is on no drive, or on one that holds no files.</exception>
    public static IReadOnlyList<string> Expand(SessionState session, string path)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(path))
            return [Resolve(session, WildcardPattern.Unescape(path))];
        try
        {
            var resolved = session.Path.GetResolvedProviderPathFromPSPath(path, out var provider);
            return provider.Name == "FileSystem" ? resolved : throw Invalid(path, $"'{path}' is on a drive of the provider {provider.Name}, which holds no files.", null);
        }
        catch (ItemNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is SessionStateException or ProviderInvocationException or PSInvalidOperationException or PSArgumentException)
        {
            throw Invalid(path, e.Message, e);
        }
    }

    private static BuildKitException Invalid(string path, string message, Exception? inner) =>
        new("BuildKit.InvalidPath", BuildKitErrorCategory.InvalidArgument, message, "Give a path of the file system.", inner) { Target = path };
}
