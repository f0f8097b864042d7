using System.Buffers;
using System.Numerics;
using System.Text;

namespace BuildKit.Session.FileSync.Patterns;

/// <summary>One alternative of a <see cref="PathRegex"/>: items that are matched one after another, by following all ways at once.</summary>
internal sealed class PathRegexBranch
{
    private readonly PathRegexItem[] _items;
    private readonly bool _anchored;
    private readonly byte[] _prefix;
    private readonly byte[] _suffix;

    public PathRegexBranch(PathRegexItem[] items)
    {
        _items = items;
        _anchored = items is [{ Step: PathRegexStep.Begin }, ..];
        _prefix = _anchored ? Literal(items.AsSpan(1), fromEnd: false) : [];
        _suffix = items is [.., { Step: PathRegexStep.End }] ? Literal(items.AsSpan(0, items.Length - 1), fromEnd: true) : [];
    }

    public bool IsMatch(ReadOnlySpan<byte> text)
    {
        // Most paths fail here, without a step of the automaton.
        if (!text.StartsWith(_prefix) || !text.EndsWith(_suffix))
            return false;
        // One bit for being before each item and one for being past the last.
        var words = (_items.Length >> 6) + 1;
        var rented = words > 8 ? ArrayPool<ulong>.Shared.Rent(2 * words) : null;
        var bits = rented is null ? stackalloc ulong[16] : rented;
        bits = bits[..(2 * words)];
        bits.Clear();
        try
        {
            return Run(text, bits[..words], bits[words..]);
        }
        finally
        {
            if (rented is not null)
                ArrayPool<ulong>.Shared.Return(rented);
        }
    }

    private bool Run(ReadOnlySpan<byte> text, Span<ulong> current, Span<ulong> next)
    {
        var previous = -1;
        while (true)
        {
            // Without an anchor, a match may begin anywhere.
            if (previous < 0 || !_anchored)
                current[0] |= 1;
            var rune = -1;
            var width = text.IsEmpty ? 0 : GoUtf8.Decode(text, out rune);
            if (PassEmptyItems(current, previous, rune))
                return true;
            if (width == 0)
                return false;
            if (!Take(rune, current, next) && _anchored)
                return false;
            text = text[width..];
            previous = rune;
            var spare = current;
            current = next;
            next = spare;
            next.Clear();
        }
    }

    /// <summary>Adds what can be reached without taking a rune; true if that is the end of the expression.</summary>
    private bool PassEmptyItems(Span<ulong> states, int previous, int rune)
    {
        // Every step leads forward, so that one pass is enough.
        for (var word = 0; word < states.Length; word++)
        {
            for (var low = 0; low < 64;)
            {
                var rest = states[word] >> low;
                if (rest == 0)
                    break;
                var bit = low + BitOperations.TrailingZeroCount(rest);
                var state = (word << 6) + bit;
                if (state == _items.Length)
                    return true;
                switch (_items[state].Step)
                {
                    case PathRegexStep.Star:
                    case PathRegexStep.Optional:
                        Set(states, state + 1);
                        break;
                    case PathRegexStep.Directories:
                        Set(states, state + 1);
                        Set(states, state + 2);
                        break;
                    case PathRegexStep.Begin when previous < 0:
                    case PathRegexStep.End when rune < 0:
                    case PathRegexStep.WordBoundary when IsWord(previous) != IsWord(rune):
                    case PathRegexStep.NoWordBoundary when IsWord(previous) == IsWord(rune):
                        Set(states, state + 1);
                        break;
                }

                low = bit + 1;
            }
        }

        return false;
    }

    /// <summary>Moves every state over a rune; false if none is left.</summary>
    private bool Take(int rune, ReadOnlySpan<ulong> current, Span<ulong> next)
    {
        var any = false;
        for (var word = 0; word < current.Length; word++)
        {
            for (var rest = current[word]; rest != 0; rest &= rest - 1)
            {
                var state = (word << 6) + BitOperations.TrailingZeroCount(rest);
                var item = _items[state];
                switch (item.Step)
                {
                    case PathRegexStep.Rune when item.Set!.Contains(rune):
                    case PathRegexStep.Optional when item.Set!.Contains(rune):
                        Set(next, state + 1);
                        any = true;
                        break;
                    case PathRegexStep.Star when item.Set!.Contains(rune):
                        Set(next, state);
                        any = true;
                        break;
                    case PathRegexStep.DirectoriesRest when rune != '\n':
                        Set(next, state);
                        if (rune == '/')
                            Set(next, state + 1);
                        any = true;
                        break;
                }
            }
        }

        return any;
    }

    private static void Set(Span<ulong> states, int state) => states[state >> 6] |= 1UL << (state & 63);

    private static bool IsWord(int rune) => rune is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_';

    /// <summary>The bytes that every match begins or ends with.</summary>
    private static byte[] Literal(ReadOnlySpan<PathRegexItem> items, bool fromEnd)
    {
        var text = new List<Rune>();
        for (var i = 0; i < items.Length; i++)
        {
            var item = items[fromEnd ? items.Length - 1 - i : i];
            // U+FFFD stands for invalid bytes as well.
            if (item.Step != PathRegexStep.Rune || item.Set!.Single is var rune && (!Rune.IsValid(rune) || rune == GoUtf8.RuneError))
                break;
            text.Add(new Rune(rune));
        }

        if (fromEnd)
            text.Reverse();
        return [.. text.SelectMany(static rune => Encoding.UTF8.GetBytes(rune.ToString()))];
    }
}
