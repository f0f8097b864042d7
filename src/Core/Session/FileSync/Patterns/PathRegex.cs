namespace BuildKit.Session.FileSync.Patterns;

/// <summary>
/// The regular expressions that patterns compile to, matched as Go's <c>regexp</c> does: over the runes of UTF-8, in time linear in the text.
/// .NET's own engine works on UTF-16 and has another syntax for classes and escapes, so that <c>?</c>, <c>[[:alpha:]]</c>,
/// bytes that are not UTF-8 and <c>\</c> before a letter would each mean something else.
/// </summary>
internal sealed class PathRegex
{
    private readonly PathRegexBranch[] _branches;

    /// <summary>
    /// Compiles an expression of the kind that <see cref="Pattern"/> writes; throws <see cref="BadPatternException"/> where Go would refuse it.
    /// </summary>
    public PathRegex(string expression) => _branches = PathRegexParser.Parse(expression);

    public bool IsMatch(ReadOnlySpan<byte> text)
    {
        foreach (var branch in _branches)
            if (branch.IsMatch(text))
                return true;
        return false;
    }
}
