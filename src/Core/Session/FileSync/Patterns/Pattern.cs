using System.Text;

namespace BuildKit.Session.FileSync.Patterns;

/// <summary>One pattern of a <see cref="PatternMatcher"/> (moby/patternmatcher <c>Pattern</c>).</summary>
internal sealed class Pattern
{
    private readonly byte[] _text;
    private Kind _kind;
    private PathRegex? _regex;

    public Pattern(byte[] text, bool exclusion)
    {
        _text = text;
        Exclusion = exclusion;
    }

    private enum Kind : byte
    {
        Unknown,
        Exact,
        Prefix,
        Suffix,
        Regex,
        Bad,
    }

    /// <summary>Whether the pattern began with <c>!</c>, which takes back what earlier ones matched.</summary>
    public bool Exclusion { get; }

    /// <summary>The cleaned pattern, without its <c>!</c>.</summary>
    public ReadOnlySpan<byte> Text => _text;

    /// <summary>
    /// Whether the pattern matches this very path. Throws <see cref="BadPatternException"/>; as upstream, a pattern is only compiled once it is used.
    /// </summary>
    public bool Match(ReadOnlySpan<byte> path)
    {
        if (_kind == Kind.Unknown)
            Compile();
        switch (_kind)
        {
            case Kind.Exact:
                return path.SequenceEqual(_text);
            case Kind.Prefix:
                return path.StartsWith(_text.AsSpan(0, _text.Length - 2));
            case Kind.Suffix:
                var suffix = _text.AsSpan(2);
                return path.EndsWith(suffix) || (suffix[0] == GoFilePath.Separator && path.SequenceEqual(suffix[1..]));
            case Kind.Regex:
                return _regex!.IsMatch(path);
            default:
                throw new BadPatternException($"syntax error in pattern '{this}'");
        }
    }

    public override string ToString() => (Exclusion ? "!" : "") + Encoding.UTF8.GetString(_text);

    /// <summary>The expression that the pattern compiles to, or null where a comparison will do.</summary>
    internal static string? ToExpression(ReadOnlySpan<byte> text, out bool prefix, out bool suffix)
    {
        var expression = new StringBuilder("^");
        var regex = prefix = suffix = false;
        var runes = Decode(text);
        for (var i = 0; i < runes.Count;)
        {
            var first = i == 0;
            var rune = runes[i++];
            if (rune == '*' && At(i) == '*')
            {
                i++;
                // "**/" is "**".
                if (At(i) == '/')
                    i++;
                if (i < runes.Count)
                {
                    expression.Append("(.*/)?");
                    regex = true;
                }
                else if (!regex && !suffix)
                {
                    prefix = true;
                }
                else
                {
                    expression.Append(".*");
                    regex = true;
                }

                // A leading "**" makes it a comparison of the end, unless something later needs more.
                if (first)
                    (regex, prefix, suffix) = (false, false, true);
            }
            else if (rune == '*')
            {
                expression.Append("[^/]*");
                regex = true;
            }
            else if (rune == '?')
            {
                expression.Append("[^/]");
                regex = true;
            }
            else if (rune is '.' or '+' or '(' or ')' or '$')
            {
                // Upstream means to escape '|', '{' and '}' as well, but its table does not hold them: they keep their meaning for the regular expression.
                expression.Append('\\').Append((char)rune);
            }
            else if (rune == '\\')
            {
                expression.Append('\\');
                if (i < runes.Count)
                {
                    expression.Append(new Rune(runes[i++]).ToString());
                    regex = true;
                }
            }
            else
            {
                expression.Append(new Rune(rune).ToString());
                regex |= rune is '[' or ']';
            }
        }

        return regex ? expression.Append('$').ToString() : null;

        int At(int index) => index < runes.Count ? runes[index] : -1;
    }

    private void Compile()
    {
        var expression = ToExpression(_text, out var prefix, out var suffix);
        try
        {
            if (expression is not null)
                _regex = new PathRegex(expression);
            _kind = expression is not null ? Kind.Regex : suffix ? Kind.Suffix : prefix ? Kind.Prefix : Kind.Exact;
        }
        catch (BadPatternException)
        {
            _kind = Kind.Bad;
        }
    }

    private static List<int> Decode(ReadOnlySpan<byte> text)
    {
        // Go's text/scanner drops a leading byte order mark.
        if (text.StartsWith("\ufeff"u8))
            text = text[3..];
        var runes = new List<int>(text.Length);
        while (text.Length > 0)
        {
            text = text[GoUtf8.Decode(text, out var rune)..];
            runes.Add(rune);
        }

        return runes;
    }
}
