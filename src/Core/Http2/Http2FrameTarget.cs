using BuildKit.Http2.Hpack;

namespace BuildKit.Http2;

/// <summary>Where the output loop gathers frames, with the compression state that their order gives to headers.</summary>
internal sealed class Http2FrameTarget(int capacity) : IDisposable
{
    private readonly PooledBufferWriter _headerBlock = new(1024);

    public PooledBufferWriter Buffer { get; } = new(capacity);

    public HpackEncoder Encoder { get; } = new();

    /// <summary>The largest frame the peer accepts (SETTINGS_MAX_FRAME_SIZE).</summary>
    public int MaxFrameSize { get; set; } = Http2Settings.MinMaxFrameSize;

    /// <summary>How much of one stream's DATA is sent before it is another stream's turn.</summary>
    public int MaxDataLength => Math.Min(MaxFrameSize, MaxTurn);

    private const int MaxTurn = 64 * 1024;

    public void WriteHeaders(int streamId, IReadOnlyList<HeaderField> fields, bool endStream)
    {
        _headerBlock.Clear();
        Encoder.Encode(fields, _headerBlock);
        Http2FrameWriter.WriteHeaders(Buffer, streamId, _headerBlock.WrittenSpan, endStream, MaxFrameSize);
    }

    public void Dispose()
    {
        Buffer.Dispose();
        _headerBlock.Dispose();
    }
}
