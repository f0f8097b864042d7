using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-ShmSize</c>: numbers of bytes, as <c>64MB</c> is one in PowerShell, and docker's texts such as <c>64m</c> (docker/go-units RAMInBytes).</summary>
internal static partial class ByteSizeArgument
{
    private const string Units = "bkmgtp";

    /// <summary>Reads a size.</summary>
    /// <param name="value">What was bound; null where nothing was.</param>
    /// <returns>Bytes, or null.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidSize</c>.</exception>
    public static long? Read(object? value)
    {
        var item = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (item is null)
            return null;
        var text = Convert.ToString(item, CultureInfo.InvariantCulture) ?? "";
        var match = Size().Match(text);
        if (!match.Success)
            throw Invalid(text);
        var unit = match.Groups["unit"].Value.ToLowerInvariant();
        var power = unit.Length == 0 ? 0 : Units.IndexOf(unit[0], StringComparison.Ordinal);
        var bytes = double.Parse(match.Groups["number"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * Math.Pow(1024, power);
        return bytes < long.MaxValue ? (long)bytes : throw Invalid(text);
    }

    private static BuildKitException Invalid(string text) =>
        new("BuildKit.InvalidSize", BuildKitErrorCategory.InvalidArgument, $"'{text}' is no size.", "Give bytes, or write it like 64m, 1g or 64MB.") { Target = text };

    [GeneratedRegex("^(?<number>[0-9]+(\\.[0-9]*)?|\\.[0-9]+) ?(?<unit>b|[kmgtp](i?b)?)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Size();
}
