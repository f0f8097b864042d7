using System.Buffers.Binary;

namespace BuildKit.Http2;

/// <summary>The parameters of SETTINGS (RFC 9113 section 6.5.2).</summary>
internal enum Http2SettingId : ushort
{
    HeaderTableSize = 0x1,
    EnablePush = 0x2,
    MaxConcurrentStreams = 0x3,
    InitialWindowSize = 0x4,
    MaxFrameSize = 0x5,
    MaxHeaderListSize = 0x6,
}

/// <summary>What a SETTINGS frame asks of its receiver; null where it says nothing.</summary>
internal readonly record struct Http2Settings(uint? HeaderTableSize, int? InitialWindowSize, int? MaxFrameSize)
{
    public const int DefaultHeaderTableSize = 4096;
    public const int DefaultInitialWindowSize = 65_535;
    public const int MinMaxFrameSize = 16_384;
    public const int MaxMaxFrameSize = 16_777_215;
    public const int MaxWindowSize = int.MaxValue;
    public const int EntryLength = 6;

    /// <summary>Reads the payload of a SETTINGS frame that is no acknowledgement. A later entry wins; what is unknown is skipped.</summary>
    /// <exception cref="Http2ConnectionException">A length or a value that section 6.5 forbids.</exception>
    public static Http2Settings Parse(ReadOnlySpan<byte> payload)
    {
        if (payload.Length % EntryLength != 0)
            throw new Http2ConnectionException(Http2ErrorCode.FrameSizeError, $"A SETTINGS frame has {payload.Length} octets.");

        var settings = new Http2Settings();
        for (; !payload.IsEmpty; payload = payload[EntryLength..])
        {
            var value = BinaryPrimitives.ReadUInt32BigEndian(payload[2..]);
            switch ((Http2SettingId)BinaryPrimitives.ReadUInt16BigEndian(payload))
            {
                case Http2SettingId.HeaderTableSize:
                    settings = settings with { HeaderTableSize = value };
                    break;
                case Http2SettingId.EnablePush when value > 1:
                    throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"SETTINGS_ENABLE_PUSH is {value}.");
                case Http2SettingId.InitialWindowSize:
                    if (value > MaxWindowSize)
                        throw new Http2ConnectionException(Http2ErrorCode.FlowControlError, $"SETTINGS_INITIAL_WINDOW_SIZE is {value}.");
                    settings = settings with { InitialWindowSize = (int)value };
                    break;
                case Http2SettingId.MaxFrameSize:
                    if (value is < MinMaxFrameSize or > MaxMaxFrameSize)
                        throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"SETTINGS_MAX_FRAME_SIZE is {value}.");
                    settings = settings with { MaxFrameSize = (int)value };
                    break;
            }
        }

        return settings;
    }
}
