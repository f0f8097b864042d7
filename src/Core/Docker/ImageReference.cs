using System.Text.RegularExpressions;

namespace BuildKit.Docker;

/// <summary>A whole name of an image, by the grammar and the defaults of distribution/reference (reference.go, normalize.go).</summary>
/// <param name="Registry">The registry, with its port.</param>
/// <param name="Path">The repository in it.</param>
/// <param name="Tag">The tag; <c>latest</c> where neither a tag nor a digest was written, null where only a digest was.</param>
/// <param name="Digest">Such as <c>sha256:…</c>; null where none was written.</param>
internal sealed partial record ImageReference(string Registry, string Path, string? Tag, string? Digest)
{
    private const string DefaultDomain = "docker.io";
    private const string OfficialPrefix = "library/";
    private const string DefaultTag = "latest";
    private const int LongestName = 255;

    /// <summary>Registry and path, without tag and digest.</summary>
    public string Repository => $"{Registry}/{Path}";

    /// <summary>The name without the tag where it has a digest, which alone counts then.</summary>
    public string Exact => Digest is null ? ToString() : $"{Repository}@{Digest}";

    /// <summary>The whole name of what a person wrote: <c>app</c> is <c>docker.io/library/app:latest</c>.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidTag</c>; a digest is one too.</exception>
    public static string Normalize(string name) =>
        Parse(name) is { Digest: null } reference ? reference.ToString() : throw Invalid(name, "a digest comes from the content and can't be chosen");

    /// <summary>The registry of a whole name, with its port.</summary>
    public static string Host(string normalized) => normalized[..normalized.IndexOf('/', StringComparison.Ordinal)];

    /// <summary>Reads a name with a tag, a digest, both or neither.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidTag</c>.</exception>
    public static ImageReference Parse(string name)
    {
        var match = Reference().Match(name);
        if (!match.Success)
            throw name.Any(char.IsAsciiLetterUpper) ? UpperCase(name) : Invalid(name, "it is not of the form [host[:port]/]repository[:tag][@digest]");

        var repository = match.Groups["name"].Value;
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : repository[..slash];
        var hasDomain = first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        var domain = hasDomain ? (first == "index.docker.io" ? DefaultDomain : first) : DefaultDomain;
        var path = hasDomain ? repository[(slash + 1)..] : repository;
        if (path.Length == 0 || path.Any(char.IsAsciiLetterUpper) || path.Contains(':', StringComparison.Ordinal))
            throw UpperCase(name);
        if (domain == DefaultDomain && !path.Contains('/', StringComparison.Ordinal))
            path = OfficialPrefix + path;
        if (domain.Length + 1 + path.Length > LongestName)
            throw Invalid(name, $"it is longer than {LongestName} characters");
        var digest = match.Groups["digest"] is { Success: true, Value: var given } ? given : null;
        var tag = match.Groups["tag"] is { Success: true, Value: var written } ? written : digest is null ? DefaultTag : null;
        return new ImageReference(domain, path, tag, digest);
    }

    /// <summary>The same; null for what is no name.</summary>
    public static ImageReference? TryParse(string name)
    {
        try
        {
            return Parse(name);
        }
        catch (BuildKitException)
        {
            return null;
        }
    }

    public override string ToString() => $"{Repository}{(Tag is null ? "" : $":{Tag}")}{(Digest is null ? "" : $"@{Digest}")}";

    private static BuildKitException UpperCase(string name) => Invalid(name, "a repository is written in lower case");

    // "invalid reference format" is what an Engine says of such a name, and what is searched for.
    private static BuildKitException Invalid(string name, string why) =>
        new("BuildKit.InvalidTag", BuildKitErrorCategory.InvalidArgument, $"'{name}' can't be an image's name (invalid reference format): {why}.",
            "Write it like registry.example.com/team/app:1.0.")
        {
            Target = name,
        };

    [GeneratedRegex(@"^(?<name>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+|[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?$")]
    private static partial Regex Reference();
}
