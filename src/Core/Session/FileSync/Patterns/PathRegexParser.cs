using System.Globalization;
using System.Text;

namespace BuildKit.Session.FileSync.Patterns;

/// <summary>
/// Reads as much of Go's regular expression syntax (<c>regexp/syntax</c>) as a pattern can give rise to: what <see cref="Pattern"/> writes itself, and
/// the classes and escapes that it passes on from the user.
/// </summary>
internal ref struct PathRegexParser
{
    private readonly List<PathRegexItem> _items = [];
    private readonly string _expression;
    private ReadOnlySpan<char> _rest;

    private PathRegexParser(string expression)
    {
        _expression = expression;
        _rest = expression;
    }

    public static PathRegexItem[] Parse(string expression)
    {
        var parser = new PathRegexParser(expression);
        parser.ParseItems();
        return [.. parser._items];
    }

    private void ParseItems()
    {
        while (_rest.Length > 0)
        {
            switch (_rest[0])
            {
                case '(' when _rest.StartsWith("(.*/)?"):
                    _items.Add(new PathRegexItem(PathRegexStep.Directories));
                    _items.Add(new PathRegexItem(PathRegexStep.DirectoriesRest));
                    _rest = _rest["(.*/)?".Length..];
                    break;
                case '^':
                    AddAssertion(PathRegexStep.Begin, 1);
                    break;
                case '$':
                    AddAssertion(PathRegexStep.End, 1);
                    break;
                case '.':
                    _rest = _rest[1..];
                    AddSet(RuneSet.Except('\n'));
                    break;
                case '[':
                    AddSet(ParseClass());
                    break;
                case '\\':
                    ParseEscaped();
                    break;
                case '(' or ')' or '|' or '*' or '+' or '?' or '{':
                    throw Bad();
                default:
                    AddSet(RuneSet.Of(TakeRune()));
                    break;
            }
        }
    }

    private void AddAssertion(PathRegexStep step, int length)
    {
        _items.Add(new PathRegexItem(step));
        _rest = _rest[length..];
    }

    private void AddSet(RuneSet set)
    {
        var star = _rest.StartsWith("*");
        if (star)
            _rest = _rest[1..];
        _items.Add(new PathRegexItem(star ? PathRegexStep.Star : PathRegexStep.Rune, set));
    }

    private void ParseEscaped()
    {
        switch (_rest.Length > 1 ? _rest[1] : '\0')
        {
            case 'A':
                AddAssertion(PathRegexStep.Begin, 2);
                break;
            case 'z':
                AddAssertion(PathRegexStep.End, 2);
                break;
            case 'b':
                AddAssertion(PathRegexStep.WordBoundary, 2);
                break;
            case 'B':
                AddAssertion(PathRegexStep.NoWordBoundary, 2);
                break;
            case 'Q':
                ParseQuoted();
                break;
            default:
                var set = new RuneSet();
                if (!TryParseGroup(set))
                {
                    var rune = ParseEscape();
                    set.Add(rune, rune);
                }

                set.Seal();
                AddSet(set);
                break;
        }
    }

    private void ParseQuoted()
    {
        _rest = _rest[2..];
        var end = _rest.IndexOf(@"\E");
        var after = end < 0 ? default : _rest[(end + 2)..];
        if (end >= 0)
            _rest = _rest[..end];
        while (_rest.Length > 0)
            _items.Add(new PathRegexItem(PathRegexStep.Rune, RuneSet.Of(TakeRune())));
        _rest = after;
    }

    private RuneSet ParseClass()
    {
        _rest = _rest[1..];
        var negated = _rest.StartsWith("^");
        if (negated)
            _rest = _rest[1..];
        var set = new RuneSet(negated);
        for (var first = true; first || !_rest.StartsWith("]"); first = false)
        {
            if (_rest.IsEmpty)
                throw Bad();
            if (TryParseNamedClass(set) || TryParseGroup(set))
                continue;
            var low = ParseClassRune();
            var high = low;
            if (_rest.Length >= 2 && _rest[0] == '-' && _rest[1] != ']')
            {
                _rest = _rest[1..];
                high = ParseClassRune();
                if (high < low)
                    throw Bad();
            }

            set.Add(low, high);
        }

        _rest = _rest[1..];
        set.Seal();
        return set;
    }

    private int ParseClassRune() => _rest.IsEmpty ? throw Bad() : _rest[0] == '\\' ? ParseEscape() : TakeRune();

    /// <summary>A class by name, such as <c>[:alpha:]</c>.</summary>
    private bool TryParseNamedClass(RuneSet set)
    {
        if (_rest.Length <= 2 || !_rest.StartsWith("[:"))
            return false;
        var end = _rest[2..].IndexOf(":]");
        if (end < 0)
            return false;
        var name = _rest.Slice(2, end);
        var negated = name.StartsWith("^");
        var pairs = (negated ? name[1..] : name) switch
        {
            "alnum" => "09AZaz",
            "alpha" => "AZaz",
            "ascii" => "\0\x7f",
            "blank" => "\t\t  ",
            "cntrl" => "\0\x1f\x7f\x7f",
            "digit" => "09",
            "graph" => "!~",
            "lower" => "az",
            "print" => " ~",
            "punct" => "!/:@[`{~",
            "space" => "\t\r  ",
            "upper" => "AZ",
            "word" => "09AZ__az",
            "xdigit" => "09AFaf",
            _ => throw Bad(),
        };
        set.AddGroup(pairs, negated);
        _rest = _rest[(end + 4)..];
        return true;
    }

    /// <summary>A Perl class such as <c>\d</c>, or a Unicode category such as <c>\pL</c>.</summary>
    private bool TryParseGroup(RuneSet set)
    {
        if (_rest.Length < 2 || _rest[0] != '\\')
            return false;
        switch (_rest[1])
        {
            case 'd' or 'D':
                set.AddGroup("09", _rest[1] == 'D');
                break;
            case 's' or 'S':
                set.AddGroup("\t\n\f\r  ", _rest[1] == 'S');
                break;
            case 'w' or 'W':
                set.AddGroup("09AZ__az", _rest[1] == 'W');
                break;
            case 'p' or 'P':
                set.AddCategories(Categories(_rest.Length > 2 ? _rest[2] : '\0'), _rest[1] == 'P');
                _rest = _rest[1..];
                break;
            default:
                return false;
        }

        _rest = _rest[2..];
        return true;
    }

    private readonly uint Categories(char letter)
    {
        ReadOnlySpan<UnicodeCategory> categories = letter switch
        {
            'L' =>
            [
                UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter, UnicodeCategory.ModifierLetter,
                UnicodeCategory.OtherLetter,
            ],
            'M' => [UnicodeCategory.NonSpacingMark, UnicodeCategory.SpacingCombiningMark, UnicodeCategory.EnclosingMark],
            'N' => [UnicodeCategory.DecimalDigitNumber, UnicodeCategory.LetterNumber, UnicodeCategory.OtherNumber],
            'P' =>
            [
                UnicodeCategory.ConnectorPunctuation, UnicodeCategory.DashPunctuation, UnicodeCategory.OpenPunctuation, UnicodeCategory.ClosePunctuation,
                UnicodeCategory.InitialQuotePunctuation, UnicodeCategory.FinalQuotePunctuation, UnicodeCategory.OtherPunctuation,
            ],
            'S' => [UnicodeCategory.MathSymbol, UnicodeCategory.CurrencySymbol, UnicodeCategory.ModifierSymbol, UnicodeCategory.OtherSymbol],
            'Z' => [UnicodeCategory.SpaceSeparator, UnicodeCategory.LineSeparator, UnicodeCategory.ParagraphSeparator],
            'C' => [UnicodeCategory.Control, UnicodeCategory.Format, UnicodeCategory.PrivateUse, UnicodeCategory.Surrogate],
            _ => throw Bad(),
        };
        var bits = 0u;
        foreach (var category in categories)
            bits |= 1u << (int)category;
        return bits;
    }

    /// <summary>A backslash and what it makes one rune of.</summary>
    private int ParseEscape()
    {
        _rest = _rest[1..];
        if (_rest.IsEmpty)
            throw Bad();
        var rune = TakeRune();
        switch (rune)
        {
            case >= '0' and <= '7':
                return ParseOctal(rune);
            case 'x' when _rest.Length >= 2 && char.IsAsciiHexDigit(_rest[0]) && char.IsAsciiHexDigit(_rest[1]):
                var value = int.Parse(_rest[..2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                _rest = _rest[2..];
                return value;
            case 'a':
                return '\a';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'v':
                return '\v';
            default:
                return rune < 128 && !char.IsAsciiLetterOrDigit((char)rune) ? rune : throw Bad();
        }
    }

    private int ParseOctal(int first)
    {
        // A single digit other than 0 would be a back reference, which there is none of.
        if (first != '0' && (_rest.IsEmpty || _rest[0] is < '0' or > '7'))
            throw Bad();
        var value = first - '0';
        for (var i = 1; i < 3 && _rest.Length > 0 && _rest[0] is >= '0' and <= '7'; i++)
        {
            value = (value * 8) + _rest[0] - '0';
            _rest = _rest[1..];
        }

        return value;
    }

    private int TakeRune()
    {
        Rune.DecodeFromUtf16(_rest, out var rune, out var consumed);
        _rest = _rest[consumed..];
        return rune.Value;
    }

    private readonly BadPatternException Bad() => new($"syntax error in pattern (compiled to {_expression})");
}
