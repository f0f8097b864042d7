namespace BuildKit.Files;

/// <summary>Paths as the file system has them.</summary>
internal static class RealPath
{
    /// <summary>A path with the links in it resolved; what can't be resolved stays as it is.</summary>
    public static string Of(string path)
    {
        var full = Path.GetFullPath(path);
        var root = Path.GetPathRoot(full)!;
        var at = root;
        foreach (var name in full[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            at = Path.Combine(at, name);
            try
            {
                // The target of a link may lead through another one.
                if (new DirectoryInfo(at).LinkTarget is not null && Directory.ResolveLinkTarget(at, returnFinalTarget: true) is { } target)
                    at = target.FullName == at ? at : Of(target.FullName);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
        return at;
    }
}
