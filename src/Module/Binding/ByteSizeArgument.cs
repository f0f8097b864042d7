using System.Globalization;
using System.Management.Automation;
using BuildKit.Docker;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-ShmSize</c>: numbers of bytes, as <c>64MB</c> is one in PowerShell, and docker's texts such as <c>64m</c>.</summary>
internal static class ByteSizeArgument
{
    /// <summary>Reads a size.</summary>
    /// <param name="value">What was bound; null where nothing was.</param>
    /// <returns>Bytes, or null.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidSize</c>.</exception>
    public static long? Read(object? value)
    {
        if (PSValue.Unwrap(value) is not { } item)
            return null;
        var text = Convert.ToString(item, CultureInfo.InvariantCulture) ?? "";
        return MemorySize.Parse(text) ?? throw new BuildKitException(
            "BuildKit.InvalidSize", BuildKitErrorCategory.InvalidArgument, $"'{text}' is no size.", "Give bytes, or write it like 64m, 1g or 64MB.")
        { Target = text };
    }
}
