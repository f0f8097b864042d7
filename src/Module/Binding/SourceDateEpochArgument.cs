using System.Globalization;
using System.Management.Automation;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-SourceDateEpoch</c>: seconds, dates, and texts of either. A date that names no zone is one of UTC, so that it means the same on every computer.</summary>
internal static class SourceDateEpochArgument
{
    /// <summary>Reads a time.</summary>
    /// <param name="value">What was bound; null where nothing was.</param>
    /// <returns>Whole seconds since 1970 in digits, or a text for the library to judge.</returns>
    public static string? Read(object? value) => PSValue.Unwrap(value) switch
    {
        null => null,
        DateTimeOffset time => Seconds(time),
        DateTime { Kind: DateTimeKind.Unspecified } time => Seconds(new DateTimeOffset(time, TimeSpan.Zero)),
        DateTime time => Seconds(new DateTimeOffset(time)),
        string text when !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => Seconds(time),
        var other => Convert.ToString(other, CultureInfo.InvariantCulture),
    };

    private static string Seconds(DateTimeOffset time) => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
}
