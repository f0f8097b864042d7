using System.Globalization;
using System.Text;

namespace BuildKit.Session.FileSync.Patterns;

/// <summary>
/// Reads as much of Go's regular expression syntax (<c>regexp/syntax</c>) as a pattern can give rise to: what <see cref="Pattern"/> writes itself, and
/// the classes and escapes that it passes on from the user.
/// </summary>
internal ref struct PathRegexParser
{
    private const int MaxRepeat = 1000;

    // In the order of UnicodeCategory.
    private const string CategoryNames = "LuLlLtLmLoMnMcMeNdNlNoZsZlZpCcCfCsCoPcPdPsPePiPfPoSmScSkSoCn";

    private readonly List<PathRegexBranch> _branches = [];
    private readonly List<PathRegexItem> _items = [];
    private readonly string _expression;
    private ReadOnlySpan<char> _rest;

    private PathRegexParser(string expression)
    {
        _expression = expression;
        _rest = expression;
    }

    /// <summary>Reads an expression into its alternatives; throws <see cref="BadPatternException"/> where Go would refuse it.</summary>
    public static PathRegexBranch[] Parse(string expression)
    {
        var parser = new PathRegexParser(expression);
        parser.ParseItems();
        parser.EndBranch();
        return [.. parser._branches];
    }

    private void ParseItems()
    {
        // What was repeated can't be repeated again.
        var repeated = false;
        while (_rest.Length > 0)
        {
            if (TryParseRepeat(out var min, out var max))
            {
                if (repeated || _items.Count == 0)
                    throw Bad();
                Repeat(min, max);
                repeated = true;
            }
            else
            {
                repeated = ParseItem();
            }
        }
    }

    /// <summary>Reads one item, or a literal sequence; returns whether it ended with a repetition.</summary>
    private bool ParseItem()
    {
        switch (_rest[0])
        {
            case '(' when _rest.StartsWith("(.*/)?"):
                _items.Add(new PathRegexItem(PathRegexStep.Directories));
                _items.Add(new PathRegexItem(PathRegexStep.DirectoriesRest));
                _rest = _rest["(.*/)?".Length..];
                return true;
            case '|':
                EndBranch();
                _rest = _rest[1..];
                return false;
            case '^':
                AddAssertion(PathRegexStep.Begin, 1);
                return false;
            case '$':
                AddAssertion(PathRegexStep.End, 1);
                return false;
            case '.':
                _rest = _rest[1..];
                AddSet(RuneSet.Except('\n'));
                return false;
            case '[':
                AddSet(ParseClass());
                return false;
            case '\\':
                ParseEscaped();
                return false;
            default:
                AddSet(RuneSet.Of(TakeRune()));
                return false;
        }
    }

    private readonly void EndBranch()
    {
        _branches.Add(new PathRegexBranch([.. _items]));
        _items.Clear();
    }

    private void AddAssertion(PathRegexStep step, int length)
    {
        _items.Add(new PathRegexItem(step));
        _rest = _rest[length..];
    }

    private readonly void AddSet(RuneSet set) => _items.Add(new PathRegexItem(PathRegexStep.Rune, set));

    /// <summary>Reads <c>*</c> or <c>{min,max}</c>; -1 is no limit. A brace that is none of this stands for itself.</summary>
    private bool TryParseRepeat(out int min, out int max)
    {
        (min, max) = (0, -1);
        if (_rest[0] == '*')
        {
            _rest = _rest[1..];
            return true;
        }

        var end = _rest.IndexOf('}');
        if (_rest[0] != '{' || end < 0)
            return false;
        var comma = _rest[..end].IndexOf(',');
        if (!TryParseCount(_rest[1..(comma < 0 ? end : comma)], out min))
            return false;
        if (comma < 0)
            max = min;
        else if (comma + 1 < end && !TryParseCount(_rest[(comma + 1)..end], out max))
            return false;
        if (min > MaxRepeat || max > MaxRepeat || (max >= 0 && min > max))
            throw Bad();
        _rest = _rest[(end + 1)..];
        return true;
    }

    private static bool TryParseCount(ReadOnlySpan<char> digits, out int count)
    {
        count = 0;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9') || (digits.Length > 1 && digits[0] == '0'))
            return false;
        count = digits.Length > 4 ? int.MaxValue : int.Parse(digits, CultureInfo.InvariantCulture);
        return true;
    }

    private readonly void Repeat(int min, int max)
    {
        var item = _items[^1];
        _items.RemoveAt(_items.Count - 1);
        if (item.Set is null)
        {
            if (min > 0)
                _items.Add(item);
            return;
        }

        for (var i = 0; i < min; i++)
            _items.Add(item);
        if (max < 0)
            _items.Add(item with { Step = PathRegexStep.Star });
        for (var i = min; i < max; i++)
            _items.Add(item with { Step = PathRegexStep.Optional });
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
                var negated = _rest[1] == 'P';
                _rest = _rest[2..];
                var categories = ParseCategories(ref negated);
                set.AddCategories(categories, negated);
                return true;
            default:
                return false;
        }

        _rest = _rest[2..];
        return true;
    }

    /// <summary>
    /// Reads the name of a general category, such as <c>L</c> or <c>{Lu}</c>, as bits. Scripts and long names, which Go knows too, are refused.
    /// </summary>
    private uint ParseCategories(ref bool negated)
    {
        var end = _rest.StartsWith("{") ? _rest.IndexOf('}') : Math.Min(1, _rest.Length);
        if (end < 0)
            throw Bad();
        var name = end > 1 ? _rest[1..end] : _rest[..end];
        _rest = _rest[(end > 1 ? end + 1 : end)..];
        if (name.StartsWith("^"))
        {
            negated = !negated;
            name = name[1..];
        }

        var bits = 0u;
        for (var i = 0; i < CategoryNames.Length && name.Length is 1 or 2; i += 2)
            if (CategoryNames.AsSpan(i, name.Length).Equals(name, StringComparison.OrdinalIgnoreCase))
                bits |= 1u << (i / 2);
        return bits != 0 ? bits : throw Bad();
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
            case 'x' when _rest.StartsWith("{") && _rest.IndexOf('}') is var end and > 1:
                return ParseHexadecimal(_rest[1..end], end + 1);
            case 'x' when _rest.Length >= 2 && char.IsAsciiHexDigit(_rest[0]) && char.IsAsciiHexDigit(_rest[1]):
                return ParseHexadecimal(_rest[..2], 2);
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

    private int ParseHexadecimal(ReadOnlySpan<char> digits, int length)
    {
        digits = digits.TrimStart('0');
        var value = 0;
        if (digits.Length > 6)
            throw Bad();
        if (digits.Length > 0 && !int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value))
            throw Bad();
        if (value > 0x10FFFF)
            throw Bad();
        _rest = _rest[length..];
        return value;
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
