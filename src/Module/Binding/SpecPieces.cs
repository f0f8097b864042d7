using System.Management.Automation;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>
/// Puts together what PowerShell took apart: of an unquoted <c>type=registry,ref=app:cache</c> it makes two strings, because the comma is its own.
/// </summary>
internal static class SpecPieces
{
    /// <summary>Joins strings that belong to one specification; objects stay as they are.</summary>
    /// <param name="values">What was bound.</param>
    /// <returns>A list of fields for each specification in words, and every other object without its wrapper.</returns>
    public static List<object?> Join(IEnumerable<object?> values)
    {
        var joined = new List<object?>();
        List<string>? open = null;
        foreach (var value in values)
        {
            var item = PSValue.Unwrap(value);
            if (item is not string text)
            {
                joined.Add(item);
                open = null;
                continue;
            }
            var fields = CsvFields.Split(text).ToList();
            if (open is not null && fields.TrueForAll(IsPair) && Follows(open, fields))
            {
                open.AddRange(fields);
                continue;
            }
            joined.Add(fields);
            // What is no pair, such as the name of an image, takes nothing more.
            open = fields.TrueForAll(IsPair) ? fields : null;
        }
        return joined;
    }

    // A name that is there already begins another specification.
    private static bool Follows(List<string> open, List<string> fields) =>
        !fields.Exists(field => open.Exists(other => NameOf(other).Equals(NameOf(field), StringComparison.OrdinalIgnoreCase)));

    /// <summary>Reads <c>name=value</c> fields.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="invalid">Makes the error for a field that is none.</param>
    /// <returns>The pairs; the last one of a name counts.</returns>
    public static Dictionary<string, string> ToPairs(IEnumerable<string> fields, Func<string, BuildKitException> invalid)
    {
        var pairs = new Dictionary<string, string>();
        foreach (var field in fields)
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            pairs[equals > 0 ? field[..equals].Trim() : throw invalid(field)] = field[(equals + 1)..];
        }
        return pairs;
    }

    private static string NameOf(string field) => field[..field.IndexOf('=', StringComparison.Ordinal)].Trim();

    private static bool IsPair(string field) => field.Contains('=', StringComparison.Ordinal);
}
