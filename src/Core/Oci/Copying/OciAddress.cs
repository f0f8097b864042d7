using System.Text.RegularExpressions;
using BuildKit.Docker;

namespace BuildKit.Oci.Copying;

/// <summary>
/// An image somewhere. The words are those of skopeo and buildx:
/// <list type="table">
/// <listheader><term>written</term><description>means</description></listheader>
/// <item><term><c>oci-layout://PATH[:TAG][@DIGEST]</c></term><description>a layout directory</description></item>
/// <item><term><c>oci:PATH[:NAME]</c></term><description>the same</description></item>
/// <item><term><c>oci-archive:PATH[:NAME]</c></term><description>a tar archive of a layout</description></item>
/// <item><term><c>docker-archive:PATH[:NAME]</c></term><description>a tar archive for <c>docker load</c>, or from <c>docker save</c></description></item>
/// <item><term><c>docker://NAME</c></term><description>a registry; without a host, Docker Hub</description></item>
/// <item><term><c>docker-daemon:NAME</c></term><description>an image of a Docker Engine</description></item>
/// <item><term><c>HOST/NAME</c></term><description>a registry, where HOST has a dot or a colon or is <c>localhost</c></description></item>
/// <item><term><c>./PATH[:TAG][@DIGEST]</c></term><description>a path: what begins with <c>/</c>, <c>./</c>, <c>../</c>, <c>~</c> or a drive, ends with <c>.tar</c>, or exists. A directory is a
/// layout, a file an archive; of what does not exist, <c>NAME.tar</c> becomes an archive and anything else a layout</description></item>
/// </list>
/// </summary>
public sealed partial record OciAddress
{
    private static readonly (string Prefix, OciTransport Transport)[] Prefixes =
    [
        (OciLayoutReference.Scheme, OciTransport.OciLayout),
        ("oci:", OciTransport.OciLayout),
        ("oci-archive:", OciTransport.OciArchive),
        ("docker-archive:", OciTransport.DockerArchive),
        ("docker://", OciTransport.Registry),
        ("docker-daemon:", OciTransport.DockerDaemon),
    ];

    private OciAddress(OciTransport transport, string? path, string? reference)
    {
        Transport = transport;
        Path = path;
        Reference = reference;
    }

    /// <summary>What kind of place it is.</summary>
    public OciTransport Transport { get; }

    /// <summary>The absolute path of a layout or archive; null for a registry and an Engine.</summary>
    public string? Path { get; }

    /// <summary>Which image it is: its name; in a layout or archive a tag, a name or a digest, or null for the only one.</summary>
    public string? Reference { get; }

    /// <summary>Reads what a person wrote.</summary>
    /// <param name="text">The address.</param>
    /// <param name="resolvePath">Makes paths absolute; null for the process's directory.</param>
    /// <returns>The address.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidAddress</c>, or <c>BuildKit.InvalidTag</c> for what is no image's name.</exception>
    public static OciAddress Parse(string text, Func<string, string>? resolvePath = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        resolvePath ??= System.IO.Path.GetFullPath;
        foreach (var (prefix, transport) in Prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
                return Parse(text, transport, prefix, resolvePath);
        }
        if (UnknownScheme().Match(text) is { Success: true } scheme)
            throw Invalid(text, $"'{scheme.Value}' is no place for images");
        if (IsPath(text) || (!IsOnHost(text) && FindWhole(text, resolvePath) is not null))
            return PlainPath(text, resolvePath);
        if (!IsOnHost(text))
            throw Invalid(text, $"it may be a path or a name on Docker Hub. Write ./{text} or docker://{text}");
        return new OciAddress(OciTransport.Registry, null, ImageReference.Parse(text).ToString());
    }

    /// <summary>A layout directory, an archive or an index file, whatever its name looks like.</summary>
    /// <param name="path">The absolute path.</param>
    /// <returns>The address.</returns>
    public static OciAddress AtPath(string path) =>
        new(File.Exists(path) && !path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? OciTransport.OciArchive : OciTransport.OciLayout, path, null);

    /// <summary>The address as <see cref="Parse(string, Func{string, string}?)"/> reads it.</summary>
    /// <returns>The text.</returns>
    public override string ToString()
    {
        if (Path is null)
            return Prefix + Reference;
        if (Reference is null)
            return Prefix + Path;
        if (OciDigest.TryParse(Reference, out _))
            return $"{Prefix}{Path}@{Reference}";
        // oci-layout:// takes no more than a tag.
        var isWholeName = Reference.IndexOfAny(['/', ':']) >= 0;
        return $"{(Transport == OciTransport.OciLayout && isWholeName ? "oci:" : Prefix)}{Path}:{Reference}";
    }

    private string Prefix => Array.Find(Prefixes, row => row.Transport == Transport).Prefix;

    private static OciAddress Parse(string text, OciTransport transport, string prefix, Func<string, string> resolvePath)
    {
        var rest = text[prefix.Length..];
        if (rest.Length == 0)
            throw Invalid(text, "nothing follows the colon");
        if (transport is OciTransport.Registry or OciTransport.DockerDaemon)
            return new OciAddress(transport, null, rest.StartsWith("sha256:", StringComparison.Ordinal) && transport == OciTransport.DockerDaemon ? rest : ImageReference.Parse(rest).ToString());
        if (prefix == OciLayoutReference.Scheme)
            return FromLayoutReference(transport, OciLayoutReference.Parse(rest), resolvePath);
        if (FindWhole(rest, resolvePath) is { } whole)
            return new OciAddress(transport, whole, null);
        // As in skopeo, the first colon ends the path; that of a drive does not.
        var colon = rest.IndexOf(':', Drive().Match(rest).Length);
        var at = rest.LastIndexOf('@');
        if (at > 0 && OciDigest.TryParse(rest[(at + 1)..], out _) && (colon < 0 || colon > at))
            return new OciAddress(transport, resolvePath(rest[..at]), rest[(at + 1)..]);
        return colon < 0
            ? new OciAddress(transport, resolvePath(rest), null)
            : new OciAddress(transport, resolvePath(rest[..colon]), colon + 1 < rest.Length ? rest[(colon + 1)..] : throw Invalid(text, "no name follows the colon"));
    }

    private static OciAddress PlainPath(string text, Func<string, string> resolvePath)
    {
        var address = FindWhole(text, resolvePath) is { } whole
            ? new OciAddress(OciTransport.OciLayout, whole, null)
            : FromLayoutReference(OciTransport.OciLayout, OciLayoutReference.Parse(text), resolvePath);
        var isArchive = File.Exists(address.Path!) ? !address.Path!.EndsWith(".json", StringComparison.OrdinalIgnoreCase) : !Directory.Exists(address.Path!) && HasArchiveExtension(address.Path!);
        return isArchive ? new OciAddress(OciTransport.OciArchive, address.Path, address.Reference) : address;
    }

    private static OciAddress FromLayoutReference(OciTransport transport, OciLayoutReference reference, Func<string, string> resolvePath) =>
        new(transport, resolvePath(reference.Path), reference.Digest ?? reference.Tag);

    private static bool IsPath(string text) =>
        text is "." or ".." || text[0] is '/' or '\\' or '~' || text.StartsWith("./", StringComparison.Ordinal) || text.StartsWith("../", StringComparison.Ordinal)
        || text.StartsWith(@".\", StringComparison.Ordinal) || text.StartsWith(@"..\", StringComparison.Ordinal) || Drive().IsMatch(text) || HasArchiveExtension(text);

    private static bool IsOnHost(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && (text[..slash] == "localhost" || text.AsSpan(0, slash).IndexOfAny('.', ':') >= 0);
    }

    private static bool HasArchiveExtension(string path) =>
        path.EndsWith(".tar", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether an archive of that name is to be compressed by gzip.</summary>
    internal static bool IsCompressedName(string path) => path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase);

    // A path may have a colon in it: what exists as it is written is meant as it is written.
    private static string? FindWhole(string text, Func<string, string> resolvePath)
    {
        try
        {
            var path = resolvePath(text);
            return System.IO.Path.Exists(path) ? path : null;
        }
        catch (BuildKitException)
        {
            // What stands before the colon is no drive.
            return null;
        }
    }

    private static BuildKitException Invalid(string text, string why) => new(
        "BuildKit.InvalidAddress", BuildKitErrorCategory.InvalidArgument, $"'{text}' does not say where an image is: {why}.",
        "Write a path, oci-archive:PATH, docker-archive:PATH, docker://NAME, docker-daemon:NAME, or the name of a registry with its image.")
    { Target = text };

    // PowerShell's drives may have longer names than Windows'.
    [GeneratedRegex(@"^\w+:(?=[\\/](?!/))")]
    private static partial Regex Drive();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9+.-]*://")]
    private static partial Regex UnknownScheme();
}
