using System.Buffers;
using System.Text;
using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using Google.Protobuf;

namespace BuildKit.Session.FileSend;

/// <summary>What we say to the sender: a <c>Packet</c> with a request for a file, the end, or an error. A struct of its own, because there is one for every file.</summary>
internal readonly record struct FileSendReply(Packet.Types.PacketType Type, uint Id = 0, string? Error = null)
{
    public static readonly FileSendReply Fin = new(Packet.Types.PacketType.PacketFin);

    public static Marshaller<FileSendReply> Marshaller { get; } = new(static reply => reply.Size(), static (reply, writer) => reply.WriteTo(writer), Read);

    public static FileSendReply Request(uint id) => new(Packet.Types.PacketType.PacketReq, id);

    public static FileSendReply Failure(string text) => new(Packet.Types.PacketType.PacketErr, Error: text);

    private int Size()
    {
        var size = 1 + CodedOutputStream.ComputeEnumSize((int)Type);
        if (Id != 0)
            size += 1 + CodedOutputStream.ComputeUInt32Size(Id);
        if (Error is not null)
            size += 1 + CodedOutputStream.ComputeStringSize(Error);
        return size;
    }

    private void WriteTo(IBufferWriter<byte> writer)
    {
        var span = writer.GetSpan(Size());
        span[0] = Packet.TypeFieldNumber << 3;
        var at = 1 + WriteVarint(span[1..], (uint)Type);
        if (Id != 0)
        {
            span[at++] = Packet.IDFieldNumber << 3;
            at += WriteVarint(span[at..], Id);
        }
        if (Error is not null)
        {
            span[at++] = (Packet.DataFieldNumber << 3) | 2;
            at += WriteVarint(span[at..], (uint)Encoding.UTF8.GetByteCount(Error));
            at += Encoding.UTF8.GetBytes(Error, span[at..]);
        }
        writer.Advance(at);
    }

    private static int WriteVarint(Span<byte> span, uint value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7)
            span[at++] = (byte)(value | 0x80);
        span[at++] = (byte)value;
        return at;
    }

    private static FileSendReply Read(ReadOnlySequence<byte> data)
    {
        var packet = Packet.Parser.ParseFrom(data);
        return new FileSendReply(packet.Type, packet.ID, packet.Data.IsEmpty ? null : packet.Data.ToStringUtf8());
    }
}
