namespace BuildKit.Session.FileSync.Patterns;

/// <summary>What one step of a <see cref="PathRegex"/> takes.</summary>
internal enum PathRegexStep : byte
{
    /// <summary>One rune of the set.</summary>
    Rune,

    /// <summary>One rune of the set, or nothing.</summary>
    Optional,

    /// <summary>Any number of runes of the set.</summary>
    Star,

    /// <summary>The way into or past <c>(.*/)?</c>; always followed by <see cref="DirectoriesRest"/>.</summary>
    Directories,

    /// <summary>The inside of <c>(.*/)?</c>.</summary>
    DirectoriesRest,

    /// <summary>Nothing, at the beginning of the text.</summary>
    Begin,

    /// <summary>Nothing, at the end of the text.</summary>
    End,

    /// <summary>Nothing, where a word begins or ends.</summary>
    WordBoundary,

    /// <summary>Nothing, where no word begins or ends.</summary>
    NoWordBoundary,
}

/// <summary>A step and, where it takes runes, which.</summary>
internal readonly record struct PathRegexItem(PathRegexStep Step, RuneSet? Set = null);
