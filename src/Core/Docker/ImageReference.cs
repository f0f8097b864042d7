using System.Text.RegularExpressions;

namespace BuildKit.Docker;

/// <summary>Names of images, by the grammar and the defaults of distribution/reference (reference.go, normalize.go).</summary>
internal static partial class ImageReference
{
    private const string DefaultDomain = "docker.io";
    private const string OfficialPrefix = "library/";
    private const int LongestName = 255;

    /// <summary>The whole name of what a person wrote: <c>app</c> is <c>docker.io/library/app:latest</c>.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidTag</c>.</exception>
    public static string Normalize(string name)
    {
        var match = Reference().Match(name);
        if (!match.Success)
            throw Invalid(name, name.Any(char.IsAsciiLetterUpper) ? "a repository is written in lower case" : "it is not of the form [host[:port]/]repository[:tag]");

        var repository = match.Groups["name"].Value;
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : repository[..slash];
        var hasDomain = first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        var domain = hasDomain ? (first == "index.docker.io" ? DefaultDomain : first) : DefaultDomain;
        var path = hasDomain ? repository[(slash + 1)..] : repository;
        if (path.Length == 0 || path.Any(char.IsAsciiLetterUpper) || path.Contains(':', StringComparison.Ordinal))
            throw Invalid(name, "a repository is written in lower case");
        if (domain == DefaultDomain && !path.Contains('/', StringComparison.Ordinal))
            path = OfficialPrefix + path;
        if (domain.Length + 1 + path.Length > LongestName)
            throw Invalid(name, $"it is longer than {LongestName} characters");
        var tag = match.Groups["tag"].Value;
        return $"{domain}/{path}:{(tag.Length > 0 ? tag : "latest")}";
    }

    /// <summary>The registry of a whole name, with its port.</summary>
    public static string Host(string normalized) => normalized[..normalized.IndexOf('/', StringComparison.Ordinal)];

    private static BuildKitException Invalid(string name, string why) =>
        new("BuildKit.InvalidTag", BuildKitErrorCategory.InvalidArgument, $"'{name}' can't be an image's name: {why}.", "Write it like registry.example.com/team/app:1.0.")
        {
            Target = name,
        };

    [GeneratedRegex(@"^(?<name>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+|[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?$")]
    private static partial Regex Reference();
}
