using System.Globalization;
using BuildKit.Http2.Hpack;

namespace BuildKit.Http2;

/// <summary>The headers of a request after the rules of RFC 9113 sections 8.2 and 8.3 were checked.</summary>
internal sealed class Http2RequestHeaders
{
    private static readonly HashSet<string> ConnectionSpecific =
        new(StringComparer.Ordinal) { "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade" };

    private readonly List<HeaderField> _fields;

    private Http2RequestHeaders(List<HeaderField> fields) => _fields = fields;

    /// <summary>What stands in for headers that were too many to keep.</summary>
    public static Http2RequestHeaders Empty { get; } = new([]);

    public string Method { get; private set; } = string.Empty;

    public string Scheme { get; private set; } = string.Empty;

    public string Authority { get; private set; } = string.Empty;

    public string Path { get; private set; } = string.Empty;

    public long? ContentLength { get; private set; }

    /// <summary>The headers that are no pseudo-headers, in their order.</summary>
    public IReadOnlyList<HeaderField> Fields => _fields;

    /// <summary>The first value of a header, or null.</summary>
    public string? GetValue(string name)
    {
        foreach (var field in _fields)
        {
            if (field.Name == name)
                return field.Value;
        }

        return null;
    }

    /// <summary>Checks a request's header list and takes it over.</summary>
    /// <exception cref="Http2StreamException">The request is malformed (RFC 9113 section 8.1.1).</exception>
    public static Http2RequestHeaders Parse(int streamId, List<HeaderField> fields)
    {
        string? method = null, scheme = null, authority = null, path = null;
        var pseudoCount = 0;
        foreach (var field in fields)
        {
            if (!field.Name.StartsWith(':'))
                break;
            pseudoCount++;
            CheckValue(streamId, field);
            ref var target = ref authority;
            switch (field.Name)
            {
                case ":method":
                    target = ref method;
                    break;
                case ":scheme":
                    target = ref scheme;
                    break;
                case ":path":
                    target = ref path;
                    break;
                case ":authority":
                    break;
                default:
                    throw Malformed(streamId, $"it has the pseudo-header {field.Name}");
            }

            if (target is not null)
                throw Malformed(streamId, $"it has {field.Name} twice");
            target = field.Value;
        }

        // Section 8.5: CONNECT names an authority and nothing else.
        var complete = method == "CONNECT" ? authority is not null && scheme is null && path is null : !string.IsNullOrEmpty(path) && scheme is not null;
        if (string.IsNullOrEmpty(method) || !complete)
            throw Malformed(streamId, "its pseudo-headers are not the ones it needs");

        fields.RemoveRange(0, pseudoCount);
        CheckFields(streamId, fields);
        return new Http2RequestHeaders(fields)
        {
            Method = method,
            Scheme = scheme ?? string.Empty,
            Authority = authority ?? string.Empty,
            Path = path ?? string.Empty,
            ContentLength = GetContentLength(streamId, fields),
        };
    }

    /// <summary>Checks headers that follow a body: pseudo-headers have no place there (RFC 9113 section 8.1).</summary>
    /// <exception cref="Http2StreamException">They are malformed.</exception>
    public static void CheckFields(int streamId, List<HeaderField> fields)
    {
        foreach (var field in fields)
        {
            if (field.Name.Length == 0)
                throw Malformed(streamId, "a header has no name");
            foreach (var c in field.Name)
            {
                // Section 8.2.1, and no colon: pseudo-headers come first and were taken out.
                if (c is <= ' ' or ':' or >= (char)0x7F or (>= 'A' and <= 'Z'))
                    throw Malformed(streamId, "the name of a header has a character that is not allowed");
            }

            CheckValue(streamId, field);
            if (ConnectionSpecific.Contains(field.Name) || (field.Name == "te" && field.Value != "trailers"))
                throw Malformed(streamId, $"it has the connection-specific header {field.Name}");
        }
    }

    private static void CheckValue(int streamId, HeaderField field)
    {
        if (field.Value.AsSpan().ContainsAny('\0', '\r', '\n'))
            throw Malformed(streamId, $"the value of {field.Name} has a character that is not allowed");
        if (field.Value.Length > 0 && (field.Value[0] is ' ' or '\t' || field.Value[^1] is ' ' or '\t'))
            throw Malformed(streamId, $"the value of {field.Name} begins or ends with white space");
    }

    private static long? GetContentLength(int streamId, List<HeaderField> fields)
    {
        long? length = null;
        foreach (var field in fields)
        {
            if (field.Name != "content-length")
                continue;
            if (!long.TryParse(field.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || (length is not null && length != value))
                throw Malformed(streamId, "its content-length is no number");
            length = value;
        }

        return length;
    }

    private static Http2StreamException Malformed(int streamId, string why) =>
        new(streamId, Http2ErrorCode.ProtocolError, $"The request on stream {streamId} is malformed: {why}.");
}
