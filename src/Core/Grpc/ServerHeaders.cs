using System.Buffers;
using System.Globalization;
using System.Text;
using BuildKit.Http2.Hpack;

namespace BuildKit.Grpc;

/// <summary>How metadata, deadlines and statuses are written in HTTP/2 headers (grpc/grpc doc/PROTOCOL-HTTP2.md).</summary>
internal static class ServerHeaders
{
    public const string Timeout = "grpc-timeout";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Identity = "identity";

    private static readonly HeaderField Ok = new(":status", "200");
    private static readonly HeaderField ContentType = new("content-type", "application/grpc");
    private static readonly HeaderField Encoding = new("grpc-encoding", Identity);

    private static readonly SearchValues<char> KeyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    // A timer takes no more; a deadline further away never comes.
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(49);

    // What belongs to the transport of the call and is no metadata of the application.
    private static readonly HashSet<string> Reserved =
        new(StringComparer.Ordinal) { "content-type", "content-length", "te", Timeout, "grpc-encoding", AcceptEncoding, "grpc-message-type" };

    /// <summary>The metadata of a request.</summary>
    /// <exception cref="RpcException">A <c>-bin</c> value is no base64.</exception>
    public static Metadata ToMetadata(IReadOnlyList<HeaderField> fields)
    {
        var metadata = new Metadata();
        foreach (var field in fields)
        {
            if (Reserved.Contains(field.Name) || !IsKey(field.Name))
                continue;
            if (!field.Name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal))
            {
                metadata.Add(field.Name, field.Value);
                continue;
            }

            // Several values of a key may come joined by commas, which base64 does not use.
            foreach (var value in field.Value.Split(','))
                metadata.Add(field.Name, FromBase64(field.Name, value.Trim()));
        }

        return metadata;
    }

    /// <summary>Reads a <c>grpc-timeout</c>: at most eight digits and a unit.</summary>
    /// <exception cref="RpcException">It is something else.</exception>
    public static TimeSpan ParseTimeout(string text)
    {
        if (text.Length is < 2 or > 9 || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            throw Malformed();
        var ticks = text[^1] switch
        {
            'H' => (double)value * TimeSpan.TicksPerHour,
            'M' => (double)value * TimeSpan.TicksPerMinute,
            'S' => (double)value * TimeSpan.TicksPerSecond,
            'm' => (double)value * TimeSpan.TicksPerMillisecond,
            'u' => (double)value * TimeSpan.TicksPerMicrosecond,
            'n' => (double)value / TimeSpan.NanosecondsPerTick,
            _ => throw Malformed(),
        };
        return ticks >= MaxTimeout.Ticks ? MaxTimeout : TimeSpan.FromTicks((long)ticks);

        static RpcException Malformed() => new(new Status(StatusCode.Internal, "The call's grpc-timeout is malformed."));
    }

    /// <summary>The headers before the first message.</summary>
    /// <exception cref="ArgumentException">A text value has characters that a header can't hold.</exception>
    public static List<HeaderField> ForResponse(Metadata metadata)
    {
        var fields = new List<HeaderField>(3 + metadata.Count) { Ok, ContentType, Encoding };
        AddAll(fields, metadata);
        return fields;
    }

    /// <summary>The trailers, or the only headers of a response that has nothing else.</summary>
    /// <exception cref="ArgumentException">A text value has characters that a header can't hold.</exception>
    public static List<HeaderField> ForStatus(Status status, Metadata trailers, Metadata? moreTrailers, bool isOnly)
    {
        var fields = new List<HeaderField>(4 + trailers.Count);
        if (isOnly)
        {
            fields.Add(Ok);
            fields.Add(ContentType);
        }

        fields.Add(new HeaderField("grpc-status", ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture)));
        if (!string.IsNullOrEmpty(status.Detail))
            fields.Add(new HeaderField("grpc-message", PercentEncode(status.Detail)));
        AddAll(fields, trailers);
        if (moreTrailers is not null)
            AddAll(fields, moreTrailers);
        return fields;
    }

    /// <summary>Percent-encodes the UTF-8 of a message; printable ASCII other than <c>%</c> stays as it is.</summary>
    public static string PercentEncode(string message)
    {
        if (!message.AsSpan().ContainsAnyExceptInRange(' ', '~') && !message.Contains('%'))
            return message;
        var encoded = new StringBuilder(message.Length + 16);
        foreach (var octet in System.Text.Encoding.UTF8.GetBytes(message))
        {
            if (octet is >= (byte)' ' and <= (byte)'~' and not (byte)'%')
                encoded.Append((char)octet);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
        }

        return encoded.ToString();
    }

    private static void AddAll(List<HeaderField> fields, Metadata metadata)
    {
        foreach (var entry in metadata)
        {
            if (entry.IsBinary)
            {
                // Unpadded, as the specification wants it written.
                fields.Add(new HeaderField(entry.Key, Convert.ToBase64String(entry.ValueBytes).TrimEnd('=')));
                continue;
            }

            if (entry.Value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                throw new ArgumentException($"The metadata '{entry.Key}' has characters other than printable ASCII; a key that ends in -bin can hold them.");
            fields.Add(new HeaderField(entry.Key, entry.Value.Trim(' ')));
        }
    }

    private static bool IsKey(string name) => !name.AsSpan().ContainsAnyExcept(KeyCharacters);

    private static byte[] FromBase64(string name, string value)
    {
        var padded = value.TrimEnd('=');
        padded = padded.PadRight((padded.Length + 3) / 4 * 4, '=');
        try
        {
            return Convert.FromBase64String(padded);
        }
        catch (FormatException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"The metadata '{name}' is no base64."));
        }
    }
}
