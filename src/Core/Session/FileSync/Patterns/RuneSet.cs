using System.Globalization;
using System.Text;

namespace BuildKit.Session.FileSync.Patterns;

/// <summary>A set of runes: a character, or a character class of a regular expression.</summary>
internal sealed class RuneSet
{
    private readonly List<(int Low, int High)> _ranges = [];
    private readonly List<(uint Categories, bool Negated)> _categories = [];
    private readonly bool _negated;
    private UInt128 _ascii;

    public RuneSet(bool negated = false) => _negated = negated;

    /// <summary>Any rune but this one.</summary>
    public static RuneSet Except(int rune)
    {
        var set = new RuneSet(negated: true);
        set.Add(rune, rune);
        set.Seal();
        return set;
    }

    /// <summary>This rune alone.</summary>
    public static RuneSet Of(int rune)
    {
        var set = new RuneSet();
        set.Add(rune, rune);
        set.Seal();
        return set;
    }

    /// <summary>The one rune in the set, or -1 where there are others.</summary>
    public int Single => !_negated && _categories.Count == 0 && _ranges is [var only] && only.Low == only.High ? only.Low : -1;

    public void Add(int low, int high) => _ranges.Add((low, high));

    /// <summary>Adds ranges given as pairs of their ends, or all runes outside them.</summary>
    public void AddGroup(ReadOnlySpan<char> pairs, bool negated)
    {
        if (!negated)
        {
            for (var i = 0; i < pairs.Length; i += 2)
                Add(pairs[i], pairs[i + 1]);
            return;
        }

        var next = 0;
        for (var i = 0; i < pairs.Length; i += 2)
        {
            if (next < pairs[i])
                Add(next, pairs[i] - 1);
            next = pairs[i + 1] + 1;
        }

        Add(next, 0x10FFFF);
    }

    /// <summary>Adds the runes of some Unicode categories (a bit each, by <see cref="UnicodeCategory"/>), or all others.</summary>
    public void AddCategories(uint categories, bool negated) => _categories.Add((categories, negated));

    /// <summary>To be called once, after the last addition.</summary>
    public void Seal()
    {
        for (var rune = 0; rune < 128; rune++)
            if (Compute(rune))
                _ascii |= UInt128.One << rune;
    }

    public bool Contains(int rune) => rune < 128 ? ((_ascii >> rune) & UInt128.One) != UInt128.Zero : Compute(rune);

    private bool Compute(int rune)
    {
        foreach (var (low, high) in _ranges)
            if (low <= rune && rune <= high)
                return !_negated;
        foreach (var (categories, negated) in _categories)
            if ((((categories >> (int)Rune.GetUnicodeCategory(new Rune(rune))) & 1) != 0) != negated)
                return !_negated;
        return _negated;
    }
}
