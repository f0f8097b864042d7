using System.Buffers;
using System.Numerics;
using System.Text;
using BuildKit.Grpc;
using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>
/// <c>fsutil.types.Packet</c> as bytes, by hand: the generated class would copy the content of files once more and allocate for every packet, and it
/// has no file names but those in UTF-8.
/// </summary>
internal static class PacketMarshallers
{
    private const int WireVarint = 0;
    private const int WireFixed64 = 1;
    private const int WireBytes = 2;
    private const int WireFixed32 = 5;

    public static Marshaller<SenderPacket> Sender { get; } = new(Size, Write, static _ => throw new NotSupportedException());

    public static Marshaller<ReceiverPacket> Receiver { get; } =
        new(static _ => throw new NotSupportedException(), static (_, _) => throw new NotSupportedException(), Read);

    /// <summary>How many bytes a packet takes.</summary>
    public static int Size(SenderPacket packet) => HeadSize(packet) + packet.Data.Length;

    /// <summary>Writes all but the data, which comes last, into a span that is large enough.</summary>
    public static void WriteHead(SenderPacket packet, Span<byte> span)
    {
        if (!packet.Encoded.IsEmpty)
        {
            packet.Encoded.Span.CopyTo(span);
            return;
        }

        var output = new Output(span);
        output.Number(1, (ulong)packet.Type);
        if (packet.Stat is { } stat)
        {
            output.Header(2, StatSize(stat));
            WriteStat(ref output, stat);
        }

        output.Number(3, packet.Id);
        if (!packet.Data.IsEmpty)
            output.Header(4, packet.Data.Length);
    }

    private static int HeadSize(SenderPacket packet)
    {
        if (!packet.Encoded.IsEmpty)
            return packet.Encoded.Length;
        var size = NumberSize((ulong)packet.Type) + NumberSize(packet.Id);
        if (packet.Stat is { } stat)
            size += BytesSize(StatSize(stat));
        if (!packet.Data.IsEmpty)
            size += BytesSize(packet.Data.Length) - packet.Data.Length;
        return size;
    }

    private static void Write(SenderPacket packet, IBufferWriter<byte> writer)
    {
        var size = HeadSize(packet);
        if (size == 0)
            return;
        WriteHead(packet, writer.GetSpan(size));
        writer.Advance(size);
        writer.Write(packet.Data.Span);
    }

    private static int StatSize(FileStat stat)
    {
        var size = OptionalBytesSize(stat.Path.Length) + NumberSize(stat.Mode) + NumberSize(stat.Uid) + NumberSize(stat.Gid) + NumberSize((ulong)stat.Size)
            + NumberSize((ulong)stat.ModTime) + OptionalBytesSize(stat.LinkName.Length) + NumberSize((ulong)stat.DevMajor) + NumberSize((ulong)stat.DevMinor);
        foreach (var (name, value) in stat.Xattrs)
            size += BytesSize(BytesSize(name.Length) + BytesSize(value.Length));
        return size;
    }

    private static void WriteStat(ref Output output, FileStat stat)
    {
        output.OptionalBytes(1, stat.Path);
        output.Number(2, stat.Mode);
        output.Number(3, stat.Uid);
        output.Number(4, stat.Gid);
        output.Number(5, (ulong)stat.Size);
        output.Number(6, (ulong)stat.ModTime);
        output.OptionalBytes(7, stat.LinkName);
        output.Number(8, (ulong)stat.DevMajor);
        output.Number(9, (ulong)stat.DevMinor);
        foreach (var (name, value) in stat.Xattrs)
        {
            output.Header(10, BytesSize(name.Length) + BytesSize(value.Length));
            output.Bytes(1, name);
            output.Bytes(2, value);
        }
    }

    private static ReceiverPacket Read(ReadOnlySequence<byte> data)
    {
        var reader = new SequenceReader<byte>(data);
        var type = PacketType.Stat;
        var id = 0u;
        var text = "";
        while (!reader.End)
        {
            var tag = Varint(ref reader);
            switch (tag)
            {
                case 1 << 3 | WireVarint:
                    type = (PacketType)Varint(ref reader);
                    break;
                case 3 << 3 | WireVarint:
                    id = (uint)Varint(ref reader);
                    break;
                case 4 << 3 | WireBytes:
                    text = Encoding.UTF8.GetString(Take(ref reader, Varint(ref reader)));
                    break;
                default:
                    Skip(ref reader, (int)(tag & 7));
                    break;
            }
        }

        return new ReceiverPacket(type, id, text);
    }

    private static ulong Varint(ref SequenceReader<byte> reader)
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (!reader.TryRead(out var b))
                break;
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw Malformed();
    }

    private static ReadOnlySequence<byte> Take(ref SequenceReader<byte> reader, ulong length)
    {
        if (length > (ulong)reader.Remaining)
            throw Malformed();
        var bytes = reader.UnreadSequence.Slice(0, (long)length);
        reader.Advance((long)length);
        return bytes;
    }

    private static void Skip(ref SequenceReader<byte> reader, int wireType)
    {
        switch (wireType)
        {
            case WireVarint:
                Varint(ref reader);
                break;
            case WireFixed64:
                Take(ref reader, 8);
                break;
            case WireBytes:
                Take(ref reader, Varint(ref reader));
                break;
            case WireFixed32:
                Take(ref reader, 4);
                break;
            default:
                throw Malformed();
        }
    }

    private static RpcException Malformed() => new(new Status(StatusCode.Internal, "a packet that the daemon sent for a file transfer can't be read"));

    private static int VarintSize(ulong value) => (70 - BitOperations.LeadingZeroCount(value | 1)) / 7;

    private static int NumberSize(ulong value) => value == 0 ? 0 : 1 + VarintSize(value);

    private static int BytesSize(int length) => 1 + VarintSize((ulong)length) + length;

    private static int OptionalBytesSize(int length) => length == 0 ? 0 : BytesSize(length);

    /// <summary>Writes fields with numbers up to 15 into a span that is large enough.</summary>
    private ref struct Output(Span<byte> span)
    {
        private readonly Span<byte> _span = span;
        private int _written;

        /// <summary>Zero, being the default, is not written.</summary>
        public void Number(int field, ulong value)
        {
            if (value == 0)
                return;
            _span[_written++] = (byte)(field << 3 | WireVarint);
            Varint(value);
        }

        public void OptionalBytes(int field, ReadOnlySpan<byte> value)
        {
            if (!value.IsEmpty)
                Bytes(field, value);
        }

        public void Bytes(int field, ReadOnlySpan<byte> value)
        {
            Header(field, value.Length);
            value.CopyTo(_span[_written..]);
            _written += value.Length;
        }

        /// <summary>What comes before so many bytes.</summary>
        public void Header(int field, int length)
        {
            _span[_written++] = (byte)(field << 3 | WireBytes);
            Varint((ulong)length);
        }

        private void Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                _span[_written++] = (byte)(value | 0x80);
            _span[_written++] = (byte)value;
        }
    }
}
