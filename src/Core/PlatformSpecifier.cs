using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace BuildKit;

/// <summary>A platform in the one form that daemons compare (containerd/platforms: Parse, Normalize, FormatAll).</summary>
/// <param name="OS">Such as <c>linux</c>, or <c>windows(10.0.17763)</c> with a version.</param>
/// <param name="Architecture">Go's name, such as <c>arm64</c>.</param>
/// <param name="Variant">Such as <c>v7</c>; empty where it is the architecture's usual one.</param>
internal sealed partial record PlatformSpecifier(string OS, string Architecture, string Variant)
{
    private static readonly HashSet<string> KnownSystems =
    [
        "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd", "openbsd", "plan9", "solaris", "windows", "zos",
    ];

    private static readonly HashSet<string> KnownArchitectures =
    [
        "386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "ppc64", "ppc64le", "loong64", "mips", "mipsle", "mips64", "mips64le", "mips64p32",
        "mips64p32le", "ppc", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "wasm",
    ];

    /// <summary>Other names of architectures, with the variant that they stand for; null keeps the one that was written.</summary>
    private static readonly Dictionary<string, (string Architecture, string? Variant)> Aliases = new()
    {
        ["i386"] = ("386", ""),
        ["x86_64"] = ("amd64", null),
        ["x86-64"] = ("amd64", null),
        ["aarch64"] = ("arm64", null),
        ["armhf"] = ("arm", "v7"),
        ["armel"] = ("arm", "v6"),
    };

    private static readonly Dictionary<(string Architecture, string Variant), string> Variants = new()
    {
        [("amd64", "v1")] = "",
        [("arm64", "8")] = "",
        [("arm64", "v8")] = "",
        [("arm64", "v8.0")] = "",
        [("arm64", "9")] = "v9",
        [("arm64", "9.0")] = "v9",
        [("arm64", "v9.0")] = "v9",
        [("arm", "")] = "v7",
        [("arm", "7")] = "v7",
        [("arm", "5")] = "v5",
        [("arm", "6")] = "v6",
        [("arm", "8")] = "v8",
    };

    /// <summary>Reads a platform: <c>OS/ARCHITECTURE[/VARIANT]</c>, one of the two alone, or <c>local</c> for this computer's.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="defaultOS">The system of an architecture that stands alone.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidPlatform</c>.</exception>
    public static PlatformSpecifier Parse(string text, string defaultOS)
    {
        if (text.Equals("local", StringComparison.OrdinalIgnoreCase))
            return Normalize(defaultOS, LocalArchitecture(), "");
        var match = Specifier().Match(text);
        if (!match.Success)
            throw Invalid(text);
        var (os, version, architecture, variant) = (
            match.Groups["os"].Value.ToLowerInvariant(), match.Groups["version"].Value, match.Groups["arch"].Value, match.Groups["variant"].Value);
        if (os == "macos")
            os = "darwin";
        if (architecture.Length > 0)
            return Normalize(os + version, architecture, variant);
        if (KnownSystems.Contains(os))
            return Normalize(os + version, LocalArchitecture(), "");
        var alone = Normalize(defaultOS, os, "");
        return version.Length == 0 && KnownArchitectures.Contains(alone.Architecture) ? alone : throw Invalid(text);
    }

    /// <summary>Reads platforms, of which one text may hold several with commas between them, as docker's <c>--platform</c> does.</summary>
    /// <param name="texts">What was written.</param>
    /// <param name="defaultOS">The system of an architecture that stands alone.</param>
    /// <returns>The platforms, each once.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidPlatform</c>.</exception>
    public static List<PlatformSpecifier> ParseMany(IEnumerable<string> texts, string defaultOS) => texts
        .SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        .Select(text => Parse(text, defaultOS))
        .Distinct()
        .ToList();

    /// <summary>The system without its version.</summary>
    public string BareOS => OS.Split('(')[0];

    /// <summary>Whether an image of another platform is what was asked for by this one: the same system and architecture, in the same variant or an older one of it.</summary>
    public bool Accepts(PlatformSpecifier image) =>
        BareOS == image.BareOS && Architecture == image.Architecture
        && (image.Variant == Variant || image.Variant.Length == 0 || string.CompareOrdinal(image.Variant, Variant) < 0);

    public override string ToString() => Variant.Length > 0 ? $"{OS}/{Architecture}/{Variant}" : $"{OS}/{Architecture}";

    /// <summary>A platform whose parts are known, its architecture and variant by the names that are compared.</summary>
    public static PlatformSpecifier Normalize(string os, string architecture, string variant)
    {
        architecture = architecture.ToLowerInvariant();
        variant = variant.ToLowerInvariant();
        if (Aliases.TryGetValue(architecture, out var alias))
            (architecture, variant) = (alias.Architecture, alias.Variant ?? variant);
        return new PlatformSpecifier(os, architecture, Variants.GetValueOrDefault((architecture, variant), variant));
    }

    private static string LocalArchitecture() => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static BuildKitException Invalid(string text) =>
        new("BuildKit.InvalidPlatform", BuildKitErrorCategory.InvalidArgument, $"'{text}' is no platform.", "Write it like linux/amd64, linux/arm64 or linux/arm/v7.")
        {
            Target = text,
        };

    [GeneratedRegex(@"^(?<os>[A-Za-z0-9_-]+)(?<version>\([A-Za-z0-9_.%-]*(\+[A-Za-z0-9_.%-]+)*\))?(/(?<arch>[A-Za-z0-9_.-]+)(/(?<variant>[A-Za-z0-9_.-]+))?)?\z")]
    private static partial Regex Specifier();
}
