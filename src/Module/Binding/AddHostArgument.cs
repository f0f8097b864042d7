using System.Collections;
using System.Management.Automation;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-AddHost</c>: strings as docker users write them, and hashtables whose values are one address or several.</summary>
internal static class AddHostArgument
{
    /// <summary>Reads all values.</summary>
    /// <param name="values">What was bound.</param>
    /// <returns>Texts such as <c>db:10.0.0.2</c>, for the library to judge.</returns>
    public static List<string> Read(IEnumerable<object?> values) => values
        .Select(PSValue.Unwrap)
        .SelectMany(value => value is IDictionary table ? FromTable(table) : [value?.ToString() ?? ""])
        .ToList();

    private static IEnumerable<string> FromTable(IDictionary table) => StringTable.Read(table).Select(host => $"{host.Key}={host.Value}");
}
