using System.Globalization;
using System.Text;
using BuildKit.Grpc;

namespace BuildKit.Session.FileSync;

/// <summary>What the daemon asks for, from the metadata of its call (buildkit <c>session/filesync</c>, <c>decodeOpts</c>).</summary>
/// <param name="DirName">Which source.</param>
/// <param name="IncludePatterns">Only what matches one of these, if there are any.</param>
/// <param name="ExcludePatterns">Nothing that matches these.</param>
/// <param name="FollowPaths">Paths that are included together with what they lead to by symbolic links.</param>
internal sealed record FileSyncRequest(
    string DirName, IReadOnlyList<byte[]> IncludePatterns, IReadOnlyList<byte[]> ExcludePatterns, IReadOnlyList<byte[]> FollowPaths)
{
    // "override-excludes" of BuildKit before 0.11 is of no interest: it concerned excludes that a client had read from .dockerignore itself.
    public static FileSyncRequest Read(Metadata headers)
    {
        var names = Values(headers, "dir-name");
        return new FileSyncRequest(
            names.Count > 0 ? Encoding.UTF8.GetString(names[0]) : "",
            Values(headers, "include-patterns"),
            Values(headers, "exclude-patterns"),
            Values(headers, "followpaths"));
    }

    private static List<byte[]> Values(Metadata headers, string key)
    {
        var encoded = GoBoolean.Parse(headers.GetAll(key + "-encoded").FirstOrDefault()?.Value) == true;
        return [.. headers.GetAll(key).Select(entry => encoded ? QueryUnescape(entry.Value) : Octets(entry.Value))];
    }

    /// <summary>A header as it came over the wire, where older daemons send UTF-8 as it is: text holds one octet to a character.</summary>
    private static byte[] Octets(string value) => Encoding.Latin1.GetBytes(value);

    /// <summary>Go's <c>url.QueryUnescape</c>; as upstream, what can't be decoded is empty.</summary>
    private static byte[] QueryUnescape(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '+')
            {
                bytes.Add((byte)' ');
            }
            else if (text[i] != '%')
            {
                bytes.Add((byte)text[i]);
            }
            else if (i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                return [];
            }
        }

        return [.. bytes];
    }
}
