using BuildKit.Session.FileSync.Patterns;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>What becomes of one path in a walk.</summary>
internal enum FilterResult
{
    /// <summary>It is sent.</summary>
    Keep,

    /// <summary>It is not sent, unless it is a directory and something in it is.</summary>
    Skip,

    /// <summary>Neither it nor anything in it is sent.</summary>
    SkipDirectory,
}

/// <summary>The include and exclude patterns of a walk (fsutil <c>NewFilterFS</c>, <c>filterFS.Walk</c>).</summary>
internal sealed class FileFilter
{
    private static readonly FileFilter Nothing = new([], []);

    private readonly PatternMatcher? _include;
    private readonly PatternMatcher? _exclude;

    // Patterns that are plain paths tell which directories can hold anything of interest; null where one is not plain, and all have to be looked into.
    private readonly List<byte[]>? _includedPrefixes;
    private readonly List<byte[]>? _exceptedPrefixes;

    private FileFilter(IReadOnlyCollection<byte[]> includePatterns, IReadOnlyCollection<byte[]> excludePatterns)
    {
        if (includePatterns.Count > 0)
        {
            _include = new PatternMatcher(includePatterns);
            _includedPrefixes = PlainPrefixes(_include, exclusions: false);
        }

        if (excludePatterns.Count > 0)
        {
            _exclude = new PatternMatcher(excludePatterns);
            _exceptedPrefixes = PlainPrefixes(_exclude, exclusions: true);
        }
    }

    public int IncludeCount => _include?.Patterns.Count ?? 0;

    public int ExcludeCount => _exclude?.Patterns.Count ?? 0;

    /// <summary>
    /// Reads the patterns of a request. Throws <see cref="BadPatternException"/> for a malformed one, and <see cref="FileTreeException"/> where a symbolic link
    /// on a followed path can't be read.
    /// </summary>
    public static FileFilter Create(
        FileTree tree, IReadOnlyCollection<byte[]> includePatterns, IReadOnlyCollection<byte[]> excludePatterns, IReadOnlyCollection<byte[]> followPaths)
    {
        if (followPaths.Count > 0 && FollowPaths.Resolve(tree, followPaths) is { } targets)
            includePatterns = FollowPaths.WithoutChildren([.. includePatterns, .. targets]) ?? [];
        return includePatterns.Count + excludePatterns.Count == 0 ? Nothing : new FileFilter(includePatterns, excludePatterns);
    }

    /// <summary>
    /// Decides about one path. The spans are those of <see cref="PatternMatcher.Matches"/>: what was found for the parent (empty in the root), and where to put
    /// what is found for this path, for its children.
    /// </summary>
    public FilterResult Match(
        ReadOnlySpan<byte> path,
        bool isDirectory,
        ReadOnlySpan<bool> parentIncluded,
        ReadOnlySpan<bool> parentExcluded,
        Span<bool> included,
        Span<bool> excluded)
    {
        var result = FilterResult.Keep;
        if (_include is not null && !_include.Matches(path, parentIncluded, included))
        {
            if (isDirectory && _includedPrefixes is not null && !AnyBelow(path, _includedPrefixes))
                return FilterResult.SkipDirectory;
            result = FilterResult.Skip;
        }

        if (_exclude is not null && _exclude.Matches(path, parentExcluded, excluded))
        {
            if (isDirectory && _exceptedPrefixes is not null && !AnyBelow(path, _exceptedPrefixes))
                return FilterResult.SkipDirectory;
            result = FilterResult.Skip;
        }

        return result;
    }

    private static List<byte[]>? PlainPrefixes(PatternMatcher matcher, bool exclusions)
    {
        var wildcards = OperatingSystem.IsWindows() ? "*[]?^"u8 : "*[]?^\\"u8;
        var prefixes = new List<byte[]>();
        foreach (var pattern in matcher.Patterns)
        {
            if (pattern.Exclusion != exclusions)
                continue;
            var text = pattern.Text;
            if (text.EndsWith("/**"u8))
                text = text[..^3];
            if (text.EndsWith("/*"u8))
                text = text[..^2];
            if (text.IndexOfAny(wildcards) >= 0)
                return null;
            prefixes.Add([.. text, GoFilePath.Separator]);
        }

        return prefixes;
    }

    private static bool AnyBelow(ReadOnlySpan<byte> directory, List<byte[]> prefixes)
    {
        foreach (var prefix in prefixes)
            if (prefix.Length > directory.Length && prefix[directory.Length] == GoFilePath.Separator && prefix.AsSpan().StartsWith(directory))
                return true;
        return false;
    }
}
