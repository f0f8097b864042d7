namespace BuildKit.Http2;

/// <summary>A connection that can't go on: the peer broke the protocol and was told so with GOAWAY.</summary>
internal sealed class Http2ConnectionException(Http2ErrorCode errorCode, string message)
    : BuildKitException("BuildKit.Http2ProtocolError", BuildKitErrorCategory.Protocol, message, "Try again; if it happens again, report it with the daemon's version.")
{
    /// <summary>What GOAWAY said.</summary>
    public Http2ErrorCode ErrorCode { get; } = errorCode;
}
