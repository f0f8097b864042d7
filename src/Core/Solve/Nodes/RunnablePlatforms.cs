using System.Globalization;
using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Nodes;

/// <summary>What a machine of a platform runs without an emulator (containerd/platforms, Only).</summary>
internal static class RunnablePlatforms
{
    private const int OldestArm = 5;
    private const int FirstArm64 = 8;

    /// <summary>ARMv9.0 has what ARMv8.5 has.</summary>
    private const int MinorsOfArm9 = 5;

    /// <summary>The platforms, the machine's own first and the nearest to it next.</summary>
    public static IReadOnlyList<PlatformSpecifier> Of(PlatformSpecifier own) =>
        Variants(own).Select(variant => PlatformSpecifier.Normalize(own.OS, variant.Architecture, variant.Variant)).Prepend(own).Distinct().ToList();

    private static IEnumerable<(string Architecture, string Variant)> Variants(PlatformSpecifier own) => own.Architecture switch
    {
        "amd64" => Down("amd64", Number(own.Variant) - 1, 1).Append(("386", "")),
        "arm" => Down("arm", Number(own.Variant) - 1, OldestArm),
        "arm64" => Arm64(own.Variant.Length == 0 ? "v8" : own.Variant).Concat(Down("arm", FirstArm64, OldestArm)),
        _ => [],
    };

    private static IEnumerable<(string Architecture, string Variant)> Arm64(string variant)
    {
        var parts = variant.Split('.', 2);
        var minor = parts.Length > 1 ? Number(parts[1]) : 0;
        return Number(parts[0]) switch
        {
            FirstArm64 => Minors(FirstArm64, minor),
            FirstArm64 + 1 => Minors(FirstArm64 + 1, minor).Concat(Minors(FirstArm64, minor + MinorsOfArm9)),
            _ => [],
        };
    }

    private static IEnumerable<(string Architecture, string Variant)> Minors(int major, int newest)
    {
        for (var minor = newest; minor > 0; minor--)
            yield return ("arm64", string.Create(CultureInfo.InvariantCulture, $"v{major}.{minor}"));
        yield return ("arm64", string.Create(CultureInfo.InvariantCulture, $"v{major}"));
    }

    private static IEnumerable<(string Architecture, string Variant)> Down(string architecture, int newest, int oldest)
    {
        for (var version = newest; version >= oldest; version--)
            yield return (architecture, string.Create(CultureInfo.InvariantCulture, $"v{version}"));
    }

    private static int Number(string variant) => int.TryParse(variant.TrimStart('v'), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
