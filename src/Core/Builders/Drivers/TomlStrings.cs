using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace BuildKit.Builders.Drivers;

/// <summary>A string in a TOML text.</summary>
/// <param name="Path">The keys that lead to it, with <see cref="TomlStrings.Item"/> for an item of an array.</param>
/// <param name="Value">What it says.</param>
/// <param name="Start">Where it begins in the text, with its quotes.</param>
/// <param name="End">Where it has ended.</param>
internal sealed record TomlString(IReadOnlyList<string> Path, string Value, int Start, int End);

/// <summary>
/// Finds the strings of a TOML text and where they stand, so that some of them can be replaced and all else stays as it was written (toml.io/en/v1.0.0). Names that are defined
/// twice are left to the program that the text is for.
/// </summary>
internal sealed partial class TomlStrings
{
    /// <summary>What stands for any item of an array in a path.</summary>
    public const string Item = "[]";

    private readonly string _text;
    private readonly List<TomlString> _found = [];
    private int _at;

    private TomlStrings(string text) => _text = text;

    /// <summary>Reads a text.</summary>
    /// <returns>Its strings, in their order; keys are none.</returns>
    /// <exception cref="FormatException">The text is no TOML; the message begins with the line.</exception>
    public static IReadOnlyList<TomlString> Find(string text)
    {
        var reader = new TomlStrings(text);
        reader.ReadDocument();
        return reader._found;
    }

    private char Next => _at < _text.Length ? _text[_at] : '\0';

    private void ReadDocument()
    {
        IReadOnlyList<string> table = [];
        for (SkipLines(); _at < _text.Length; SkipLines())
        {
            if (Next == '[')
                table = ReadHeader();
            else
                ReadPair(table);
            SkipBlanks();
            SkipComment();
            if (_at < _text.Length && Next is not ('\n' or '\r'))
                throw Wrong("a line has to end here");
        }
    }

    private List<string> ReadHeader()
    {
        var brackets = StartsWith("[[") ? 2 : 1;
        _at += brackets;
        var table = ReadKey();
        if (!StartsWith(new string(']', brackets)))
            throw Wrong($"'{new string(']', brackets)}' is missing");
        _at += brackets;
        return brackets == 2 ? [.. table, Item] : table;
    }

    private void ReadPair(IReadOnlyList<string> table)
    {
        var key = ReadKey();
        Expect('=');
        SkipBlanks();
        ReadValue([.. table, .. key]);
    }

    private List<string> ReadKey()
    {
        var parts = new List<string>();
        do
        {
            if (parts.Count > 0)
                _at++;
            SkipBlanks();
            parts.Add(ReadKeyPart());
            SkipBlanks();
        }
        while (Next == '.');
        return parts;
    }

    private string ReadKeyPart()
    {
        if (Next is '"' or '\'')
            return ReadString(mayHaveLines: false);
        var match = BareKey().Match(_text, _at);
        if (!match.Success)
            throw Wrong("a key is missing");
        _at += match.Length;
        return match.Value;
    }

    private void ReadValue(IReadOnlyList<string> path)
    {
        switch (Next)
        {
            case '"' or '\'':
                var start = _at;
                var value = ReadString(mayHaveLines: true);
                _found.Add(new TomlString(path, value, start, _at));
                break;
            case '[':
                _at++;
                ReadItems(']', SkipLines, () => ReadValue([.. path, Item]), mayEndWithComma: true);
                break;
            case '{':
                _at++;
                ReadItems('}', SkipBlanks, () => ReadPair(path), mayEndWithComma: false);
                break;
            default:
                var match = Scalar().Match(_text, _at);
                if (!match.Success)
                    throw Wrong("a value is missing, or a string is without quotes");
                _at += match.Length;
                break;
        }
    }

    private void ReadItems(char end, Action skip, Action readItem, bool mayEndWithComma)
    {
        skip();
        for (var isFirst = true; Next != end; isFirst = false)
        {
            if (!isFirst)
            {
                Expect(',');
                skip();
                if (mayEndWithComma && Next == end)
                    break;
            }
            readItem();
            skip();
        }
        _at++;
    }

    private string ReadString(bool mayHaveLines)
    {
        var quote = Next;
        var hasLines = mayHaveLines && StartsWith(new string(quote, 3));
        var text = new StringBuilder();
        _at += hasLines ? 3 : 1;
        if (hasLines)
            SkipLineBreak();
        while (true)
        {
            if (_at >= _text.Length || (!hasLines && Next is '\n' or '\r'))
                throw Wrong("a string has no end");
            if (hasLines ? StartsWith(new string(quote, 3)) : Next == quote)
                break;
            if (Next == '\\' && quote == '"')
                ReadEscape(text, hasLines);
            else
                text.Append(_text[_at++]);
        }
        _at += hasLines ? 3 : 1;
        // Up to two quotes before the three that end it belong to the string.
        for (var more = 0; hasLines && more < 2 && Next == quote; more++, _at++)
            text.Append(quote);
        return text.ToString();
    }

    private void ReadEscape(StringBuilder text, bool hasLines)
    {
        _at++;
        var letter = Next;
        if (hasLines && LineEnd().Match(_text, _at) is { Success: true } lineEnd)
        {
            _at += lineEnd.Length;
            return;
        }
        _at++;
        var plain = "b\bt\tn\nf\fr\r\"\"\\\\";
        for (var i = 0; i < plain.Length; i += 2)
        {
            if (plain[i] != letter)
                continue;
            text.Append(plain[i + 1]);
            return;
        }
        var length = letter switch { 'u' => 4, 'U' => 8, _ => throw Wrong($"'\\{letter}' means nothing in a string") };
        var digits = _text.AsSpan(_at, Math.Min(length, _text.Length - _at));
        if (digits.Length < length || !int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || !Rune.IsValid(code))
            throw Wrong($"'\\{letter}' needs the number of a character");
        _at += length;
        text.Append(new Rune(code).ToString());
    }

    private void Expect(char character)
    {
        if (Next != character)
            throw Wrong($"'{character}' is missing");
        _at++;
    }

    private void SkipBlanks()
    {
        while (Next is ' ' or '\t')
            _at++;
    }

    private void SkipComment()
    {
        if (Next == '#')
            _at = _text.IndexOf('\n', _at) is var end and >= 0 ? end : _text.Length;
    }

    private void SkipLines()
    {
        while (true)
        {
            SkipBlanks();
            SkipComment();
            if (!SkipLineBreak())
                return;
        }
    }

    private bool SkipLineBreak()
    {
        if (StartsWith("\r\n"))
            _at += 2;
        else if (Next == '\n')
            _at++;
        else
            return false;
        return true;
    }

    private bool StartsWith(string text) => string.CompareOrdinal(_text, _at, text, 0, text.Length) == 0;

    private FormatException Wrong(string why) => new(string.Create(CultureInfo.InvariantCulture, $"line {_text.AsSpan(0, Math.Min(_at, _text.Length)).Count('\n') + 1}: {why}"));

    [GeneratedRegex(@"\G[A-Za-z0-9_-]+")]
    private static partial Regex BareKey();

    // Booleans, numbers with a base, dates with or without a time, times, other numbers.
    [GeneratedRegex(
        @"\G(true|false|[+-]?(inf|nan)|0x[0-9A-Fa-f_]+|0o[0-7_]+|0b[01_]+|\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?)?"
        + @"|\d\d:\d\d:\d\d(\.\d+)?|[+-]?\d[\d_]*(\.\d[\d_]*)?([eE][+-]?\d[\d_]*)?)(?![A-Za-z0-9_.+-])")]
    private static partial Regex Scalar();

    [GeneratedRegex(@"\G[ \t]*\r?\n\s*")]
    private static partial Regex LineEnd();
}
