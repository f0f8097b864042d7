using System.Buffers;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using Google.Protobuf;

namespace BuildKit.Session;

/// <summary>
/// Writes and reads <c>moby.buildkit.v1.BytesMessage</c> (<c>bytes data = 1</c>) straight from and to the caller's memory: the generated class would hold a
/// copy of every payload.
/// </summary>
internal static class BytesMessageMarshaller
{
    private const byte DataTag = 1 << 3 | 2; // field 1, length-delimited

    public static readonly Marshaller<ReadOnlyMemory<byte>> Writer = new(Size, Write, static _ => throw new NotSupportedException());

    /// <summary>
    /// A marshaller that hands the payload of each message to a function and gives what that returns. The payload is valid during that call only.
    /// </summary>
    public static Marshaller<T> Reader<T>(Func<ReadOnlySequence<byte>, T> receive) =>
        new(static _ => throw new NotSupportedException(), static (_, _) => throw new NotSupportedException(), message => receive(Payload(message)));

    private static int Size(ReadOnlyMemory<byte> data) => data.IsEmpty ? 0 : 1 + CodedOutputStream.ComputeLengthSize(data.Length) + data.Length;

    private static void Write(ReadOnlyMemory<byte> data, IBufferWriter<byte> writer)
    {
        if (data.IsEmpty)
            return;
        var head = writer.GetSpan(1 + 5);
        head[0] = DataTag;
        var written = 1;
        var length = (uint)data.Length;
        for (; length >= 0x80; length >>= 7)
            head[written++] = (byte)(length | 0x80);
        head[written++] = (byte)length;
        writer.Advance(written);
        writer.Write(data.Span);
    }

    private static ReadOnlySequence<byte> Payload(ReadOnlySequence<byte> message)
    {
        if (message.IsEmpty)
            return message;
        var reader = new SequenceReader<byte>(message);
        if (reader.TryRead(out var tag) && tag == DataTag && TryReadLength(ref reader, out var length) && reader.Remaining == length)
            return reader.UnreadSequence;

        // Not written the way every implementation writes it (more fields, say), but perhaps valid all the same.
        return new ReadOnlySequence<byte>(BytesMessage.Parser.ParseFrom(message).Data.Memory);
    }

    private static bool TryReadLength(ref SequenceReader<byte> reader, out long length)
    {
        length = 0;
        for (var shift = 0; shift < 35 && reader.TryRead(out var part); shift += 7)
        {
            length |= (long)(part & 0x7f) << shift;
            if ((part & 0x80) == 0)
                return true;
        }

        return false;
    }
}
