using System.Buffers;
using BuildKit.Grpc;
using Google.Protobuf;

namespace BuildKit.Session.Content;

/// <summary><c>ReadContentResponse</c>, written straight from the buffer that was read into.</summary>
/// <param name="Offset">Where the data lies in what was asked for.</param>
/// <param name="Data">Valid until the message has been written.</param>
internal readonly record struct ContentReadResponse(long Offset, ReadOnlyMemory<byte> Data)
{
    private const byte OffsetTag = 1 << 3;
    private const byte DataTag = 2 << 3 | 2;
    private const int LongestHead = 1 + 10 + 1 + 5;

    public static Marshaller<ContentReadResponse> Marshaller { get; } =
        new(static response => response.Size(), static (response, writer) => response.WriteTo(writer), static _ => throw new NotSupportedException());

    private int Size() =>
        (Offset == 0 ? 0 : 1 + CodedOutputStream.ComputeInt64Size(Offset)) + (Data.IsEmpty ? 0 : 1 + CodedOutputStream.ComputeLengthSize(Data.Length) + Data.Length);

    private void WriteTo(IBufferWriter<byte> writer)
    {
        var head = writer.GetSpan(LongestHead);
        var written = 0;
        if (Offset != 0)
        {
            head[written++] = OffsetTag;
            written += WriteVarint(head[written..], (ulong)Offset);
        }
        if (!Data.IsEmpty)
        {
            head[written++] = DataTag;
            written += WriteVarint(head[written..], (ulong)Data.Length);
        }
        writer.Advance(written);
        writer.Write(Data.Span);
    }

    private static int WriteVarint(Span<byte> span, ulong value)
    {
        var written = 0;
        for (; value >= 0x80; value >>= 7)
            span[written++] = (byte)(value | 0x80);
        span[written++] = (byte)value;
        return written;
    }
}
