namespace BuildKit.Transport;

/// <summary>What will be spoken on a stream; over TLS it is agreed on by ALPN (RFC 7301), elsewhere both sides have to know.</summary>
internal enum ApplicationProtocol
{
    Http1,
    Http2,
}
