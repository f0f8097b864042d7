namespace BuildKit.Http2;

/// <summary>A stream that ended before its time: the peer reset it, it broke the protocol, or its connection ended. The connection may live on.</summary>
internal sealed class Http2StreamException(int streamId, Http2ErrorCode errorCode, string message) : IOException(message)
{
    public int StreamId { get; } = streamId;

    public Http2ErrorCode ErrorCode { get; } = errorCode;
}
