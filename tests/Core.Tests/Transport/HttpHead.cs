using System.Text;

namespace BuildKit.Tests.Transport;

/// <summary>The head of an HTTP/1.1 message, read octet by octet, so that what follows stays in the stream.</summary>
internal static class HttpHead
{
    /// <summary>What begins a TLS handshake (RFC 8446, section 5.1), which some clients try first.</summary>
    public const string TlsHandshake = "\u0016";

    /// <returns>The head with the empty line at its end; <see cref="TlsHandshake"/> where that is what comes; null where the peer has closed.</returns>
    public static async Task<string?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, cancellationToken) == 0)
                return null;
            head.Append((char)one[0]);
            if (head.ToString() == TlsHandshake)
                return TlsHandshake;
        }
        return head.ToString();
    }

    /// <summary>The fields after the first line, by their names.</summary>
    public static Dictionary<string, string> Fields(string head) => head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1)
        .Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
}
