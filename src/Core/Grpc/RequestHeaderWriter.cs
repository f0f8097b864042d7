using System.Globalization;
using System.Net.Http.Headers;

namespace BuildKit.Grpc;

/// <summary>Writes what a call says before its first message (grpc/grpc doc/PROTOCOL-HTTP2.md, "Requests").</summary>
internal static class RequestHeaderWriter
{
    /// <summary>What metadata with repeated keys may take in all; it keeps the header block within one frame (<see cref="RepeatedHeaderSplitter"/>).</summary>
    private const int MaxRepeatedLength = 8 << 10;

    private const int MaxTimeoutValue = 99_999_999;

    public static readonly MediaTypeHeaderValue ContentType = new("application/grpc");

    private static readonly string UserAgent = $"grpc-dotnet-buildkit/{typeof(RequestHeaderWriter).Assembly.GetName().Version?.ToString(3)}";

    public static void Write(HttpRequestHeaders headers, Metadata? metadata, DateTime? deadline, DateTime now)
    {
        headers.TryAddWithoutValidation("te", "trailers");
        headers.TryAddWithoutValidation("user-agent", UserAgent);
        if (deadline is { } end)
            headers.TryAddWithoutValidation("grpc-timeout", EncodeTimeout(end - now));
        if (metadata is null)
            return;

        var length = 0;
        var isRepeated = false;
        foreach (var group in metadata.GroupBy(static entry => entry.Key))
        {
            RefuseReserved(group.Key);
            var values = group.Select(Encode).ToArray();
            isRepeated |= values.Length > 1;
            length += values.Sum(value => value.Length + group.Key.Length);
            if (!headers.TryAddWithoutValidation(group.Key, string.Join(RepeatedHeaderSplitter.Separator, values)))
                throw new ArgumentException($"'{group.Key}' can't be a request header.", nameof(metadata));
        }

        if (isRepeated && length > MaxRepeatedLength)
            throw new ArgumentException($"Metadata with repeated keys takes {length} bytes; {MaxRepeatedLength} are possible.", nameof(metadata));
    }

    /// <summary>At most eight digits and a unit; rounded up, so that the peer never gives up before this side.</summary>
    internal static string EncodeTimeout(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero)
            return "1n";
        ReadOnlySpan<(long Ticks, char Unit)> units =
        [
            (TimeSpan.TicksPerMicrosecond, 'u'), (TimeSpan.TicksPerMillisecond, 'm'), (TimeSpan.TicksPerSecond, 'S'), (TimeSpan.TicksPerMinute, 'M'),
        ];
        foreach (var (ticks, unit) in units)
        {
            var value = timeout.Ticks / ticks + (timeout.Ticks % ticks == 0 ? 0 : 1);
            if (value <= MaxTimeoutValue)
                return string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Math.Min(timeout.Ticks / TimeSpan.TicksPerHour, MaxTimeoutValue)}H");
    }

    private static string Encode(Metadata.Entry entry)
    {
        // "Implementations must accept padded and un-padded values and should emit un-padded."
        if (entry.IsBinary)
            return Convert.ToBase64String(entry.ValueBytes).TrimEnd('=');
        foreach (var c in entry.Value)
            if (c is < ' ' or > '~')
                throw new ArgumentException($"The value of '{entry.Key}' holds a character that is not printable ASCII.", nameof(entry));
        return entry.Value;
    }

    private static void RefuseReserved(string key)
    {
        if (key.StartsWith("grpc-", StringComparison.Ordinal) || key is "te" or "content-type" or "user-agent" or "host" or "connection")
            throw new ArgumentException($"'{key}' is set by the protocol itself.", nameof(key));
    }
}
