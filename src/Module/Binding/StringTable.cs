using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace BuildKit.Module.Binding;

/// <summary>Reads hashtables whose names and values are texts.</summary>
internal static class StringTable
{
    /// <summary>Turns names and values into texts: booleans into <c>true</c> and <c>false</c>, numbers with a point, lists with commas, nothing into an empty text.</summary>
    /// <param name="table">The hashtable.</param>
    /// <returns>Its pairs; names differ by case.</returns>
    public static Dictionary<string, string> Read(IDictionary table)
    {
        var pairs = new Dictionary<string, string>();
        foreach (DictionaryEntry entry in table)
            pairs[Text(entry.Key)] = Text(entry.Value);
        return pairs;
    }

    /// <summary>Reads build arguments: one without a value takes it from the environment, and is left out where that has none, as docker does.</summary>
    /// <param name="table">The hashtable.</param>
    /// <returns>Its pairs; names differ by case.</returns>
    public static Dictionary<string, string> ReadBuildArgs(IDictionary table)
    {
        var pairs = new Dictionary<string, string>();
        foreach (DictionaryEntry entry in table)
        {
            var name = Text(entry.Key);
            if ((entry.Value is null ? Environment.GetEnvironmentVariable(name) : Text(entry.Value)) is { } value)
                pairs[name] = value;
        }
        return pairs;
    }

    /// <summary>Turns a value into text: of a list the elements with commas between them, of a file or folder its full path.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Its text; nothing is an empty one.</returns>
    public static string Text(object? value) => PSValue.Unwrap(value) switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        SwitchParameter flag => flag ? "true" : "false",
        FileSystemInfo file => file.FullName,
        IEnumerable list => string.Join(',', list.Cast<object?>().Select(Text)),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString() ?? "",
    };
}
