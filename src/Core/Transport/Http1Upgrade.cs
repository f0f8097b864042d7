using System.Globalization;
using System.Text;

namespace BuildKit.Transport;

/// <summary>
/// The HTTP/1.1 upgrade of RFC 9110 section 7.8 by hand: SocketsHttpHandler gives no raw stream after a 101 to a POST.
/// </summary>
internal static class Http1Upgrade
{
    private const int MaxHeadBytes = 64 * 1024;
    private const int MaxBodyBytes = 64 * 1024;

    /// <summary>What came back: after 101 the stream continues with the new protocol, otherwise <see cref="Body"/> holds the answer.</summary>
    internal readonly record struct Response(int StatusCode, Stream Stream, byte[] Body);

    /// <summary>
    /// Sends <c>POST path</c> with <c>Upgrade: protocol</c>, and a JSON body where there is one, and reads the answer's head. The caller owns the returned stream; it is disposed here when this throws.
    /// </summary>
    /// <exception cref="InvalidDataException">The peer did not answer with HTTP/1.1.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task<Response> PostAsync(
        Stream stream, string host, string path, string protocol, IEnumerable<KeyValuePair<string, string>> headers, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAsync(FormatRequest(host, path, protocol, headers, json.Span), cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);

            var (buffer, headLength, length) = await ReadHeadAsync(stream, cancellationToken).ConfigureAwait(false);
            var (statusCode, contentLength) = ParseHead(Encoding.Latin1.GetString(buffer, 0, headLength));
            var rest = buffer.AsMemory(headLength, length - headLength);
            if (statusCode == 101)
                return new Response(statusCode, rest.IsEmpty ? stream : new PrefixedStream(rest, stream), []);

            var body = new byte[Math.Min(contentLength, MaxBodyBytes)];
            var read = await new PrefixedStream(rest, stream).ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return new Response(statusCode, stream, body[..read]);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static byte[] FormatRequest(string host, string path, string protocol, IEnumerable<KeyValuePair<string, string>> headers, ReadOnlySpan<byte> json)
    {
        var request = new StringBuilder();
        request.Append(
            CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nContent-Length: {json.Length}\r\n");
        if (!json.IsEmpty)
            request.Append("Content-Type: application/json\r\n");
        foreach (var (name, value) in headers)
        {
            if (name.AsSpan().IndexOfAny("\r\n: ") >= 0 || value.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0)
                throw new ArgumentException($"The header '{name}' holds a character that a header can't hold.", nameof(headers));
            request.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }
        return [.. Encoding.UTF8.GetBytes(request.Append("\r\n").ToString()), .. json];
    }

    private static async Task<(byte[] Buffer, int HeadLength, int Length)> ReadHeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
                Array.Resize(ref buffer, buffer.Length < MaxHeadBytes ? buffer.Length * 2 : throw new InvalidDataException("The head of the HTTP answer is too long."));
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                throw new EndOfStreamException("The peer closed the connection before it had answered.");
            var from = Math.Max(0, length - 3);
            length += read;
            if (!buffer.AsSpan(0, Math.Min(length, 5)).SequenceEqual("HTTP/"u8[..Math.Min(length, 5)]))
                throw new InvalidDataException("The peer does not answer with HTTP/1.1.");
            var end = buffer.AsSpan(from, length - from).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
                return (buffer, from + end + 4, length);
        }
    }

    private static (int StatusCode, int ContentLength) ParseHead(string head)
    {
        var lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var parts = lines[0].Split(' ', 3);
        if (parts.Length < 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var statusCode))
            throw new InvalidDataException("The status line of the HTTP answer is malformed.");
        var contentLength = 0;
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line.AsSpan(0, colon).Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                _ = int.TryParse(line.AsSpan(colon + 1), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out contentLength);
        }
        return (statusCode, contentLength);
    }
}
