using System.Text.RegularExpressions;
using BuildKit.Oci;

namespace BuildKit.Docker;

/// <summary>Names of images, by the grammar and the defaults of distribution/reference (reference.go, normalize.go).</summary>
internal sealed partial record ImageReference
{
    private const string DefaultDomain = "docker.io";
    private const string DefaultTag = "latest";
    private const string OfficialPrefix = "library/";
    private const int LongestName = 255;

    private ImageReference(string domain, string path, string? tag, OciDigest? digest)
    {
        Domain = domain;
        Path = path;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The registry with its port, as names have it: <c>docker.io</c>, <c>127.0.0.1:5000</c>.</summary>
    public string Domain { get; }

    /// <summary>The repository within the registry: <c>library/app</c>.</summary>
    public string Path { get; }

    /// <summary>The tag; null only where a digest was given without one.</summary>
    public string? Tag { get; private init; }

    /// <summary>The digest that was given, or null.</summary>
    public OciDigest? Digest { get; private init; }

    /// <summary>Registry and repository: <c>docker.io/library/app</c>.</summary>
    public string Repository => $"{Domain}/{Path}";

    /// <summary>Reads what a person wrote: <c>app</c> is <c>docker.io/library/app:latest</c>. With a digest, a tag is kept and none is assumed.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidTag</c>.</exception>
    public static ImageReference Parse(string name)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
            return Parse(name, name, null);
        return OciDigest.TryParse(name[(at + 1)..], out var digest)
            ? Parse(name, name[..at], digest)
            : throw Invalid(name, "what follows the '@' is no digest such as sha256: and 64 hexadecimal digits");
    }

    /// <summary>The whole name of what a person wrote, with a tag and without a digest: <c>app</c> is <c>docker.io/library/app:latest</c>.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidTag</c>.</exception>
    public static string Normalize(string name) => Parse(name, name, null).ToString();

    /// <summary>The registry of a whole name, with its port.</summary>
    public static string Host(string normalized) => normalized[..normalized.IndexOf('/', StringComparison.Ordinal)];

    /// <summary>The same repository with this tag alone.</summary>
    public ImageReference WithTag(string tag) => this with { Tag = tag, Digest = null };

    /// <summary>The same repository with this digest alone.</summary>
    public ImageReference WithDigest(OciDigest digest) => this with { Tag = null, Digest = digest };

    /// <summary>The whole name.</summary>
    public override string ToString() => $"{Repository}{(Tag is null ? "" : ":" + Tag)}{(Digest is null ? "" : $"@{Digest}")}";

    private static ImageReference Parse(string whole, string name, OciDigest? digest)
    {
        var match = Reference().Match(name);
        if (!match.Success)
            throw Invalid(whole, name.Any(char.IsAsciiLetterUpper) ? "a repository is written in lower case" : "it is not of the form [host[:port]/]repository[:tag]");

        var repository = match.Groups["name"].Value;
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : repository[..slash];
        var hasDomain = first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        var domain = hasDomain ? (first == "index.docker.io" ? DefaultDomain : first) : DefaultDomain;
        var path = hasDomain ? repository[(slash + 1)..] : repository;
        if (path.Length == 0 || path.Any(char.IsAsciiLetterUpper) || path.Contains(':', StringComparison.Ordinal))
            throw Invalid(whole, "a repository is written in lower case");
        if (domain == DefaultDomain && !path.Contains('/', StringComparison.Ordinal))
            path = OfficialPrefix + path;
        if (domain.Length + 1 + path.Length > LongestName)
            throw Invalid(whole, $"it is longer than {LongestName} characters");
        var tag = match.Groups["tag"].Value;
        return new ImageReference(domain, path, tag.Length > 0 ? tag : digest is null ? DefaultTag : null, digest);
    }

    private static BuildKitException Invalid(string name, string why) =>
        new("BuildKit.InvalidTag", BuildKitErrorCategory.InvalidArgument, $"'{name}' can't be an image's name: {why}.", "Write it like registry.example.com/team/app:1.0.")
        {
            Target = name,
        };

    [GeneratedRegex(@"^(?<name>(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+|[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?$")]
    private static partial Regex Reference();
}
