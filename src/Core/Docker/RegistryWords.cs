using System.Text.RegularExpressions;

namespace BuildKit.Docker;

/// <summary>What registries say, as an Engine hands it on.</summary>
internal static partial class RegistryWords
{
    /// <summary>Whether a registry wants other credentials than it was given. What a file system denies is not meant.</summary>
    public static bool IsDenied(string message) => Denied().IsMatch(message);

    /// <summary>A message of several lines as one: an Engine puts a line "errors:" above several errors of a registry.</summary>
    public static string OnOneLine(string message) =>
        string.Join("; ", message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(line => line != "errors:"));

    // The words of distribution's error codes (registry/api/errcode), of the Engine without credentials, and of containerd's resolver.
    [GeneratedRegex(@"(?<!permission )\bdenied\b|\bunauthorized\b|authentication required|no basic auth credentials|authorization failed|403 Forbidden|HTTP 40[13] response", RegexOptions.IgnoreCase)]
    private static partial Regex Denied();
}
