using BuildKit.Session.FileSync.Patterns;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// Turns paths that may lead through symbolic links into the include patterns that bring over the links and what they lead to (fsutil
/// <c>FollowLinks</c>). A link is resolved as if the root were <c>/</c>. Unlike upstream, nothing outside the root is ever looked at.
/// </summary>
internal sealed class FollowPaths
{
    private readonly FileTree _tree;
    private readonly FileStat _stat = new();
    private readonly SortedSet<byte[]> _resolved = new(Comparer<byte[]>.Create(static (x, y) => x.AsSpan().SequenceCompareTo(y)));

    private FollowPaths(FileTree tree) => _tree = tree;

    /// <summary>The patterns for some paths, or null if one of them is the root, which needs none.</summary>
    public static List<byte[]>? Resolve(FileTree tree, IEnumerable<byte[]> paths)
    {
        var resolver = new FollowPaths(tree);
        foreach (var path in paths)
            resolver.Add(WithoutVolume(path));
        return WithoutChildren(resolver._resolved);
    }

    /// <summary>
    /// Leaves out what lies below the path before it, and gives null if one is the root (fsutil <c>dedupePaths</c>, also where it is given paths that are not
    /// sorted).
    /// </summary>
    public static List<byte[]>? WithoutChildren(IEnumerable<byte[]> paths)
    {
        var result = new List<byte[]>();
        ReadOnlySpan<byte> last = [];
        foreach (var path in paths)
        {
            if (path.AsSpan().SequenceEqual("."u8))
                return null;
            if (path.Length > last.Length && path[last.Length] == GoFilePath.Separator && path.AsSpan().StartsWith(last))
                continue;
            result.Add(path);
            last = path;
        }

        return result;
    }

    private void Add(ReadOnlySpan<byte> path)
    {
        ReadOnlySpan<byte> rest = GoFilePath.Join("."u8, path);
        byte[] current = [(byte)'.'];
        while (true)
        {
            var slash = rest.IndexOf(GoFilePath.Separator);
            current = GoFilePath.Join(current, slash < 0 ? rest : rest[..slash]);
            rest = slash < 0 ? [] : rest[(slash + 1)..];
            var targets = Targets(current);
            if (targets is not null || rest.IsEmpty)
            {
                if (!_resolved.Add(current) || targets is null)
                    return;
                foreach (var target in targets)
                    Add(GoFilePath.Join(target, rest));
                return;
            }
        }
    }

    /// <summary>Where the link of this path leads to, or the links that a last element with wildcards matches; null if there is none.</summary>
    private List<byte[]>? Targets(byte[] path)
    {
        if (IsOutside(path))
            return null;
        var name = GoFilePath.Base(path);
        if (!HasWildcards(name))
            return Target(path) is { } target ? [target] : null;
        var directory = GoFilePath.Dir(path);
        if (IsOutside(directory))
            return null;
        using var listing = new DirectoryListing();
        var isRoot = directory.AsSpan().SequenceEqual("."u8);
        // A link in the place of the directory is not listed, as lstat is what upstream's walk begins with.
        if ((!isRoot && !(_tree.TryStat(directory, _stat) && _stat.IsDirectory)) || !_tree.TryList(isRoot ? [] : directory, listing))
            return null;
        List<byte[]>? targets = null;
        for (var i = 0; i < listing.Count; i++)
            if (GoFilePath.TryMatch(name, listing.Name(i), out var matched) && matched && Target(GoFilePath.Join(directory, listing.Name(i))) is { } target)
                (targets ??= []).Add(target);
        return targets;
    }

    private byte[]? Target(byte[] path)
    {
        if (path.AsSpan().SequenceEqual("."u8) || !_tree.TryStat(path, _stat) || !_stat.IsSymlink)
            return null;
        ReadOnlySpan<byte> link = GoFilePath.Clean(WithoutVolume(_stat.LinkName));
        return link[0] == GoFilePath.Separator ? link.ToArray() : GoFilePath.Join("/"u8, GoFilePath.Join(GoFilePath.Dir(path), link));
    }

    private static bool IsOutside(ReadOnlySpan<byte> path) => path.SequenceEqual(".."u8) || path.StartsWith("../"u8);

    private static bool HasWildcards(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] == (byte)'\\' && !OperatingSystem.IsWindows())
                i++;
            else if (name[i] is (byte)'*' or (byte)'?' or (byte)'[')
                return true;
        }

        return false;
    }

    /// <summary>On Windows, an absolute path without its <c>C:</c>; the root of the source stands for that of the volume.</summary>
    private static byte[] WithoutVolume(ReadOnlySpan<byte> path)
    {
        var slashes = path.ToArray();
        if (!OperatingSystem.IsWindows())
            return slashes;
        slashes.AsSpan().Replace((byte)'\\', GoFilePath.Separator);
        return slashes.Length > 2 && slashes[1] == (byte)':' && slashes[2] == GoFilePath.Separator ? slashes[2..] : slashes;
    }
}
