using System.Management.Automation;
using System.Text.RegularExpressions;

namespace BuildKit.Module.Binding;

/// <summary>What <c>-Dockerfile</c> says.</summary>
/// <param name="Path">A path or a web address, or null.</param>
/// <param name="Text">The text itself, or null.</param>
internal readonly partial record struct DockerfileArgument(string? Path, string? Text)
{
    /// <summary>
    /// Reads the value: text where it has several lines, or where it begins as a Dockerfile does (<c>FROM </c>, <c>ARG </c>, <c>#</c>) and no file
    /// has that name; a path otherwise.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="value">What was written; null for the context's own.</param>
    /// <param name="context">The context, resolved. With a URL a path is one within it.</param>
    /// <returns>A path or a text, or neither.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.DockerfileNotFound</c>, or the path is none of the file system.</exception>
    public static DockerfileArgument Read(SessionState session, string? value, string context)
    {
        if (string.IsNullOrEmpty(value))
            return default;
        if (value.Contains('\n', StringComparison.Ordinal))
            return new DockerfileArgument(null, value);
        if (WebAddress().IsMatch(value))
            return new DockerfileArgument(value, null);
        if (!System.IO.Path.IsPathRooted(context))
            return Beginning().IsMatch(value) ? new DockerfileArgument(null, value) : new DockerfileArgument(value, null);
        if (Beginning().IsMatch(value) && !File.Exists(System.IO.Path.Combine(session.Path.CurrentFileSystemLocation.ProviderPath, value)))
            return new DockerfileArgument(null, value);
        var path = FileSystemPath.Resolve(session, value);
        return File.Exists(path) ? new DockerfileArgument(path, null) : throw NotFound(value, path, context);
    }

    private static BuildKitException NotFound(string value, string path, string context)
    {
        var inContext = System.IO.Path.Combine(context, value);
        var action = File.Exists(inContext)
            ? $"The path is relative to the current location; there is one in the context: '{inContext}'."
            : "Give the path of a file, or its text.";
        return new BuildKitException("BuildKit.DockerfileNotFound", BuildKitErrorCategory.NotFound, $"There is no Dockerfile '{path}'.", action)
        {
            Target = path,
        };
    }

    [GeneratedRegex("^https?://", RegexOptions.IgnoreCase)]
    private static partial Regex WebAddress();

    [GeneratedRegex(@"^\s*(#|FROM\s|ARG\s)", RegexOptions.IgnoreCase)]
    private static partial Regex Beginning();
}
