using System.Text.RegularExpressions;

namespace BuildKit.Oci;

/// <summary>An image in an OCI layout, as <c>oci-layout://PATH[:TAG][@DIGEST]</c> names it (docker/buildx util/ocilayout).</summary>
/// <param name="Path">The layout's directory, as written.</param>
/// <param name="Tag">The tag, or null.</param>
/// <param name="Digest">The digest, such as <c>sha256:…</c>, or null.</param>
public sealed partial record OciLayoutReference(string Path, string? Tag, string? Digest)
{
    /// <summary>What such a text begins with: <c>oci-layout://</c>.</summary>
    public const string Scheme = "oci-layout://";

    /// <summary>Reads a reference. A path may hold <c>@</c> and <c>:</c> itself: only what looks like a digest or a tag is one.</summary>
    /// <param name="text">The reference, with or without <see cref="Scheme"/>.</param>
    /// <returns>Its parts.</returns>
    public static OciLayoutReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var path = text.StartsWith(Scheme, StringComparison.Ordinal) ? text[Scheme.Length..] : text;
        string? digest = null;
        var at = path.LastIndexOf('@');
        if (at >= 0 && OciDigest.TryParse(path[(at + 1)..], out var parsed))
            (path, digest) = (path[..at], parsed.ToString());

        string? tag = null;
        var colon = path.LastIndexOf(':');
        if (colon >= 0 && !IsDrive(path, colon) && TagPattern().IsMatch(path[(colon + 1)..]))
            (path, tag) = (path[..colon], path[(colon + 1)..]);
        return new OciLayoutReference(path, tag, digest);
    }

    /// <summary>The reference as <see cref="Parse"/> reads it.</summary>
    /// <returns>The text, with <see cref="Scheme"/>.</returns>
    public override string ToString() => $"{Scheme}{Path}{(Tag is null ? "" : $":{Tag}")}{(Digest is null ? "" : $"@{Digest}")}";

    private static bool IsDrive(string path, int colon) => colon == 1 && path.Length > 2 && path[2] is ('/' or '\\') && char.IsAsciiLetter(path[0]);

    [GeneratedRegex(@"^\w[\w.-]{0,127}\z", RegexOptions.ECMAScript)]
    private static partial Regex TagPattern();
}
