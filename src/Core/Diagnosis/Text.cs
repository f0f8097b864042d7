using System.Globalization;

namespace BuildKit.Diagnosis;

/// <summary>Words that several checks use.</summary>
internal static class Text
{
    public static string Time(TimeSpan time) =>
        time.TotalSeconds < 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms")
        : time.TotalMinutes < 10 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s")
        : time.TotalDays < 2 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} hours")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0} days");

    public static string Count(int count, string singular, string? plural = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{(count == 0 ? "no" : count)} {(count == 1 ? singular : plural ?? singular + "s")}");
}
