using System.Globalization;

namespace BuildKit.Solve.Planning;

/// <summary>Resource limits of steps, as docker writes them: <c>nofile=1024[:2048]</c> (docker/go-units ulimit.go).</summary>
internal static class Ulimits
{
    private const long Unlimited = -1;

    /// <summary>The limits that Linux has, without <c>as</c>, which docker leaves out.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
    ];

    /// <summary>The attribute's value: <c>name=soft:hard</c> with commas between, by name; the last one of a name counts.</summary>
    /// <returns>Null where no limit was asked for.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidUlimit</c>.</exception>
    public static string? Format(IReadOnlyList<string> limits)
    {
        var byName = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var limit in limits)
        {
            var (name, soft, hard) = Parse(limit);
            byName[name] = string.Create(CultureInfo.InvariantCulture, $"{name}={soft}:{hard}");
        }
        return byName.Count == 0 ? null : string.Join(',', byName.Values);
    }

    private static (string Name, long Soft, long Hard) Parse(string text)
    {
        if (text.Split('=', 2) is not [var name, var values])
            throw Invalid(text, "it is not of the form name=soft[:hard]");
        if (!Names.Contains(name))
            throw Invalid(text, $"there is no limit '{name}', only {string.Join(", ", Names)}");
        var numbers = values.Split(':');
        if (numbers.Length > 2 || !TryParse(numbers[0], out var soft) || !TryParse(numbers[^1], out var hard))
            throw Invalid(text, "a limit is a whole number, or -1 for none");
        if (hard != Unlimited && (soft == Unlimited || soft > hard))
            throw Invalid(text, "the soft limit is above the hard one");
        return (name, soft, hard);
    }

    private static bool TryParse(string text, out long number) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    private static BuildKitException Invalid(string text, string why) =>
        new("BuildKit.InvalidUlimit", BuildKitErrorCategory.InvalidArgument, $"'{text}' can't be a limit: {why}.", "Write it like -Ulimit 'nofile=1024:2048'.")
        {
            Target = text,
        };
}
