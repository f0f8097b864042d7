using System.Collections;
using System.Management.Automation;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-Annotation</c>: strings as docker users write them, and hashtables whose keys may have docker's type prefix.</summary>
internal static class AnnotationArgument
{
    /// <summary>Reads all values.</summary>
    /// <param name="values">What was bound.</param>
    /// <returns>Texts such as <c>index:key=value</c>, for the library to judge.</returns>
    public static List<string> Read(IEnumerable<object?> values)
    {
        var annotations = new List<string>();
        var types = "";
        foreach (var item in values.Select(PSValue.Unwrap))
        {
            if (item is IDictionary table)
                annotations.AddRange(StringTable.Read(table).Select(pair => $"{pair.Key}={pair.Value}"));
            else if (item?.ToString() is { } text && (text.Contains('=', StringComparison.Ordinal) || text.Contains(':', StringComparison.Ordinal)))
            {
                annotations.Add(types + text);
                types = "";
            }
            // Of an unquoted index,manifest:key=value PowerShell makes two strings.
            else
                types += item + ",";
        }
        if (types.Length > 0)
            annotations.Add(types.TrimEnd(','));
        return annotations;
    }
}
