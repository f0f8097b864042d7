namespace BuildKit.Session.FileSync.Patterns;

/// <summary>
/// Matches paths against a list of patterns exactly as moby/patternmatcher 0.6.1, which defines what a <c>.dockerignore</c> means. Paths and patterns are
/// slash-separated bytes (UTF-8 as a rule). Not safe for concurrent use.
/// </summary>
internal sealed class PatternMatcher
{
    private readonly Pattern[] _patterns;

    /// <summary>Reads patterns; throws <see cref="BadPatternException"/> for one that is malformed as far as upstream looks at this point.</summary>
    public PatternMatcher(IEnumerable<byte[]> patterns)
    {
        var list = new List<Pattern>();
        foreach (var raw in patterns)
        {
            var trimmed = GoUtf8.TrimSpace(raw);
            if (trimmed.IsEmpty)
                continue;
            var text = GoFilePath.Clean(OperatingSystem.IsWindows() ? WithSlashes(trimmed) : trimmed);
            var exclusion = text[0] == (byte)'!';
            if (exclusion)
            {
                if (text.Length == 1)
                    throw new BadPatternException("illegal exclusion pattern: \"!\"");
                text = text[1..];
                HasExclusions = true;
            }

            var pattern = new Pattern(text, exclusion);
            if (!GoFilePath.TryMatch(text, "."u8, out _))
                throw new BadPatternException($"syntax error in pattern '{pattern}'");
            list.Add(pattern);
        }

        _patterns = [.. list];
    }

    /// <summary>Whether any of the patterns begins with <c>!</c>.</summary>
    public bool HasExclusions { get; }

    public IReadOnlyList<Pattern> Patterns => _patterns;

    /// <summary>
    /// Whether the last pattern that has a say in this path, by matching it or one of its parents, includes it (<c>MatchesUsingParentResults</c>).
    /// </summary>
    /// <param name="path">A clean relative path.</param>
    /// <param name="parentMatched">What this method wrote to <paramref name="matched"/> for the directory of the path, or empty if it was not asked.</param>
    /// <param name="matched">Receives which of the patterns matched; as long as there are patterns.</param>
    public bool Matches(ReadOnlySpan<byte> path, ReadOnlySpan<bool> parentMatched, Span<bool> matched)
    {
        var result = false;
        for (var i = 0; i < _patterns.Length; i++)
        {
            var pattern = _patterns[i];
            var match = parentMatched.Length > 0 && parentMatched[i];
            if (!match)
            {
                matched[i] = false;
                // One that could change nothing is not tried.
                if (pattern.Exclusion != result)
                    continue;
                match = pattern.Match(path) || (parentMatched.IsEmpty && MatchesParent(pattern, path));
            }

            matched[i] = match;
            if (match)
                result = !pattern.Exclusion;
        }

        return result;
    }

    private static bool MatchesParent(Pattern pattern, ReadOnlySpan<byte> path)
    {
        ReadOnlySpan<byte> parent = GoFilePath.Dir(path);
        if (parent.SequenceEqual("."u8))
            return false;
        for (var i = 0; i < parent.Length; i++)
            if (parent[i] == GoFilePath.Separator && pattern.Match(parent[..i]))
                return true;
        return pattern.Match(parent);
    }

    private static byte[] WithSlashes(ReadOnlySpan<byte> text)
    {
        var slashes = text.ToArray();
        slashes.AsSpan().Replace((byte)'\\', GoFilePath.Separator);
        return slashes;
    }
}
