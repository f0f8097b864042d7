namespace BuildKit.Http2;

/// <summary>What holds for a frame whatever the state of its stream; a violation ends the connection.</summary>
internal static class Http2FrameRules
{
    /// <summary>The payload without its padding (RFC 9113 sections 6.1 and 6.2).</summary>
    public static ReadOnlySpan<byte> RemovePadding(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (!header.Has(Http2FrameFlags.Padded))
            return payload;
        if (payload.IsEmpty)
            throw new Http2ConnectionException(Http2ErrorCode.FrameSizeError, "A padded frame is empty.");
        int padding = payload[0];
        if (padding >= payload.Length)
            throw ProtocolError("The padding of a frame is longer than the frame.");
        return payload[1..^padding];
    }

    public static void CheckHasStream(Http2FrameHeader header)
    {
        if (header.StreamId == 0)
            throw ProtocolError($"{header.Type} came on stream 0.");
    }

    public static void CheckHasNoStream(Http2FrameHeader header)
    {
        if (header.StreamId != 0)
            throw ProtocolError($"{header.Type} came on stream {header.StreamId}.");
    }

    public static void CheckLength(Http2FrameHeader header, ReadOnlySpan<byte> payload, int length)
    {
        if (payload.Length != length)
            throw new Http2ConnectionException(Http2ErrorCode.FrameSizeError, $"A {header.Type} frame has {payload.Length} octets.");
    }

    public static Http2ConnectionException ProtocolError(string message) => new(Http2ErrorCode.ProtocolError, message);
}
