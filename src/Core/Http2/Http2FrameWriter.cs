using System.Buffers;
using System.Buffers.Binary;

namespace BuildKit.Http2;

/// <summary>Writes the frames of RFC 9113 section 6 into a buffer.</summary>
internal static class Http2FrameWriter
{
    public static void WriteSettings(IBufferWriter<byte> output, ReadOnlySpan<(Http2SettingId Id, uint Value)> settings)
    {
        var payload = WriteHeader(output, settings.Length * Http2Settings.EntryLength, Http2FrameType.Settings, Http2FrameFlags.None, 0);
        foreach (var (id, value) in settings)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)id);
            BinaryPrimitives.WriteUInt32BigEndian(payload[2..], value);
            payload = payload[Http2Settings.EntryLength..];
        }

        output.Advance(Http2FrameHeader.Size + (settings.Length * Http2Settings.EntryLength));
    }

    public static void WriteSettingsAck(IBufferWriter<byte> output)
    {
        WriteHeader(output, 0, Http2FrameType.Settings, Http2FrameFlags.Ack, 0);
        output.Advance(Http2FrameHeader.Size);
    }

    public static void WritePingAck(IBufferWriter<byte> output, ulong opaque)
    {
        BinaryPrimitives.WriteUInt64BigEndian(WriteHeader(output, sizeof(ulong), Http2FrameType.Ping, Http2FrameFlags.Ack, 0), opaque);
        output.Advance(Http2FrameHeader.Size + sizeof(ulong));
    }

    public static void WriteRstStream(IBufferWriter<byte> output, int streamId, Http2ErrorCode errorCode)
    {
        BinaryPrimitives.WriteUInt32BigEndian(WriteHeader(output, sizeof(uint), Http2FrameType.RstStream, Http2FrameFlags.None, streamId), (uint)errorCode);
        output.Advance(Http2FrameHeader.Size + sizeof(uint));
    }

    public static void WriteWindowUpdate(IBufferWriter<byte> output, int streamId, int increment)
    {
        BinaryPrimitives.WriteInt32BigEndian(WriteHeader(output, sizeof(int), Http2FrameType.WindowUpdate, Http2FrameFlags.None, streamId), increment);
        output.Advance(Http2FrameHeader.Size + sizeof(int));
    }

    public static void WriteGoAway(IBufferWriter<byte> output, int lastStreamId, Http2ErrorCode errorCode, ReadOnlySpan<byte> debugData)
    {
        var length = (2 * sizeof(uint)) + debugData.Length;
        var payload = WriteHeader(output, length, Http2FrameType.GoAway, Http2FrameFlags.None, 0);
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(payload[4..], (uint)errorCode);
        debugData.CopyTo(payload[8..]);
        output.Advance(Http2FrameHeader.Size + length);
    }

    /// <summary>Writes a whole header block, as HEADERS and as many CONTINUATION frames as it takes; nothing may come between them.</summary>
    public static void WriteHeaders(IBufferWriter<byte> output, int streamId, ReadOnlySpan<byte> block, bool endStream, int maxFrameSize)
    {
        var type = Http2FrameType.Headers;
        var flags = endStream ? Http2FrameFlags.EndStream : Http2FrameFlags.None;
        do
        {
            var fragment = block[..Math.Min(block.Length, maxFrameSize)];
            block = block[fragment.Length..];
            fragment.CopyTo(WriteHeader(output, fragment.Length, type, block.IsEmpty ? flags | Http2FrameFlags.EndHeaders : flags, streamId));
            output.Advance(Http2FrameHeader.Size + fragment.Length);
            (type, flags) = (Http2FrameType.Continuation, Http2FrameFlags.None);
        }
        while (!block.IsEmpty);
    }

    public static void WriteData(IBufferWriter<byte> output, int streamId, in ReadOnlySequence<byte> data, bool endStream)
    {
        var length = (int)data.Length;
        data.CopyTo(WriteHeader(output, length, Http2FrameType.Data, endStream ? Http2FrameFlags.EndStream : Http2FrameFlags.None, streamId));
        output.Advance(Http2FrameHeader.Size + length);
    }

    private static Span<byte> WriteHeader(IBufferWriter<byte> output, int length, Http2FrameType type, Http2FrameFlags flags, int streamId)
    {
        var span = output.GetSpan(Http2FrameHeader.Size + length);
        new Http2FrameHeader(length, type, flags, streamId).Write(span);
        return span.Slice(Http2FrameHeader.Size, length);
    }
}
