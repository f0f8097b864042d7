using System.Management.Automation;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-Context</c>: a folder, or a URL that the daemon fetches.</summary>
internal static class ContextArgument
{
    /// <summary>Resolves a context. A folder of that name wins over a URL, as it does for docker.</summary>
    /// <param name="session">The session.</param>
    /// <param name="context">What was written.</param>
    /// <returns>An absolute path, or the URL as it is.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.ContextNotFound</c>, or the path is none of the file system.</exception>
    public static string Resolve(SessionState session, string context)
    {
        if (SolveRequest.IsRemoteContext(context) && !Directory.Exists(Path.Combine(session.Path.CurrentFileSystemLocation.ProviderPath, context)))
            return context;
        var path = FileSystemPath.Resolve(session, context);
        return Directory.Exists(path) ? path : throw NotFound(context, path);
    }

    private static BuildKitException NotFound(string context, string path)
    {
        var (category, message, action) = File.Exists(path)
            ? (BuildKitErrorCategory.InvalidArgument, $"The context '{context}' is a file, not a folder.",
                "Give the folder that holds what the Dockerfile copies; -Dockerfile names the file.")
            : (BuildKitErrorCategory.NotFound, $"The context '{context}' does not exist: there is no folder '{path}'.", "Give a folder, or a git or http URL.");
        return new BuildKitException("BuildKit.ContextNotFound", category, message, action) { Target = path };
    }
}
