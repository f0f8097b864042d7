using System.Security.Cryptography;

namespace BuildKit;

/// <summary>New names for builds and sessions.</summary>
internal static class Identifier
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";
    private const int Length = 25;

    /// <summary>A random name of 25 lower-case letters and digits, as BuildKit's own clients make them (moby/buildkit identity).</summary>
    public static string New() => RandomNumberGenerator.GetString(Digits, Length);
}
