namespace BuildKit.Http2.Hpack;

/// <summary>The 61 headers that both sides know from the start (RFC 7541 appendix A). Indices count from 1.</summary>
internal static class HpackStaticTable
{
    private static readonly HeaderField[] Fields =
    [
        new(":authority", ""), new(":method", "GET"), new(":method", "POST"), new(":path", "/"), new(":path", "/index.html"),
        new(":scheme", "http"), new(":scheme", "https"), new(":status", "200"), new(":status", "204"), new(":status", "206"),
        new(":status", "304"), new(":status", "400"), new(":status", "404"), new(":status", "500"), new("accept-charset", ""),
        new("accept-encoding", "gzip, deflate"), new("accept-language", ""), new("accept-ranges", ""), new("accept", ""),
        new("access-control-allow-origin", ""), new("age", ""), new("allow", ""), new("authorization", ""), new("cache-control", ""),
        new("content-disposition", ""), new("content-encoding", ""), new("content-language", ""), new("content-length", ""),
        new("content-location", ""), new("content-range", ""), new("content-type", ""), new("cookie", ""), new("date", ""), new("etag", ""),
        new("expect", ""), new("expires", ""), new("from", ""), new("host", ""), new("if-match", ""), new("if-modified-since", ""),
        new("if-none-match", ""), new("if-range", ""), new("if-unmodified-since", ""), new("last-modified", ""), new("link", ""),
        new("location", ""), new("max-forwards", ""), new("proxy-authenticate", ""), new("proxy-authorization", ""), new("range", ""),
        new("referer", ""), new("refresh", ""), new("retry-after", ""), new("server", ""), new("set-cookie", ""),
        new("strict-transport-security", ""), new("transfer-encoding", ""), new("user-agent", ""), new("vary", ""), new("via", ""),
        new("www-authenticate", ""),
    ];

    private static readonly Dictionary<string, int> FirstIndexOfName = IndexNames();

    public static int Count => Fields.Length;

    /// <summary>The field with an index from 1 to <see cref="Count"/>.</summary>
    public static HeaderField Get(int index) => Fields[index - 1];

    /// <summary>The index of an equal field, or of the first with the same name, or 0.</summary>
    public static int Find(string name, string value, out bool valueMatches)
    {
        valueMatches = false;
        if (!FirstIndexOfName.TryGetValue(name, out var first))
            return 0;

        // Fields of one name stand next to each other.
        for (var index = first; index <= Fields.Length && Fields[index - 1].Name == name; index++)
        {
            if (Fields[index - 1].Value == value)
            {
                valueMatches = true;
                return index;
            }
        }

        return first;
    }

    private static Dictionary<string, int> IndexNames()
    {
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < Fields.Length; i++)
            indices.TryAdd(Fields[i].Name, i + 1);
        return indices;
    }
}
