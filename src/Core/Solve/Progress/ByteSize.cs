using System.Globalization;

namespace BuildKit.Solve.Progress;

/// <summary>Writes sizes as docker does: decimal units, two digits, and none for plain bytes.</summary>
internal static class ByteSize
{
    private static readonly string[] Units = ["kB", "MB", "GB", "TB", "PB", "EB"];

    public static string Format(long bytes)
    {
        if (Math.Abs((double)bytes) < 1000)
            return string.Create(CultureInfo.InvariantCulture, $"{bytes}B");
        var value = bytes / 1000.0;
        var unit = 0;
        for (; Math.Abs(value) >= 1000 && unit < Units.Length - 1; unit++)
            value /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{value:F2}{Units[unit]}");
    }
}
