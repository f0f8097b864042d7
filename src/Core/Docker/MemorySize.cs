using System.Globalization;
using System.Text.RegularExpressions;

namespace BuildKit.Docker;

/// <summary>Sizes of memory as docker's options write them, with binary units: <c>512m</c>, <c>1.5 GiB</c> (docker/go-units RAMInBytes).</summary>
public static partial class MemorySize
{
    private const string Units = "kmgtp";

    /// <summary>Reads a size.</summary>
    /// <param name="text">The size; without a unit, bytes.</param>
    /// <returns>Bytes; null for what is no size.</returns>
    public static long? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Size().Match(text) is not { Success: true } match)
            return null;
        var unit = match.Groups["unit"].ValueSpan is [var letter, ..] ? Units.IndexOf(char.ToLowerInvariant(letter), StringComparison.Ordinal) + 1 : 0;
        var bytes = double.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture) * Math.Pow(1024, unit);
        return bytes < long.MaxValue ? (long)bytes : null;
    }

    [GeneratedRegex(@"^(?<number>[0-9]+\.?[0-9]*|\.[0-9]+) ?((?<unit>[kmgtp])(i?b)?|b)?\z", RegexOptions.IgnoreCase)]
    private static partial Regex Size();
}
