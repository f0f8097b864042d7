namespace BuildKit.Http2.Hpack;

/// <summary>A header block that can't be decoded: the connection's compression state is lost with it (RFC 9113 section 4.3).</summary>
internal sealed class HpackDecodingException(string message) : Exception(message);
