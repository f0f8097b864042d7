using BuildKit.Protocol.FileSync;

namespace BuildKit.Session.FileSend;

/// <summary>fsutil's <c>Packet</c>, as a view into the message it came in.</summary>
internal readonly ref struct ReceivedPacket
{
    private ReceivedPacket(Packet.Types.PacketType type, uint id, bool hasStat, ReadOnlySpan<byte> stat, ReadOnlySpan<byte> data)
    {
        Type = type;
        Id = id;
        HasStat = hasStat;
        Stat = stat;
        Data = data;
    }

    public Packet.Types.PacketType Type { get; }

    public uint Id { get; }

    /// <summary>False in the <c>PACKET_STAT</c> that ends the sequence.</summary>
    public bool HasStat { get; }

    public ReadOnlySpan<byte> Stat { get; }

    public ReadOnlySpan<byte> Data { get; }

    /// <exception cref="FormatException">The bytes are not a protobuf message.</exception>
    public static ReceivedPacket Parse(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        var type = Packet.Types.PacketType.PacketStat;
        uint id = 0;
        var hasStat = false;
        ReadOnlySpan<byte> stat = default;
        ReadOnlySpan<byte> data = default;
        int field;
        while ((field = reader.ReadField()) != 0)
        {
            switch (field)
            {
                case Packet.TypeFieldNumber:
                    type = (Packet.Types.PacketType)reader.ReadUInt64();
                    break;
                case Packet.IDFieldNumber:
                    id = (uint)reader.ReadUInt64();
                    break;
                case Packet.StatFieldNumber:
                    stat = reader.ReadBytes();
                    hasStat = true;
                    break;
                case Packet.DataFieldNumber:
                    data = reader.ReadBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new ReceivedPacket(type, id, hasStat, stat, data);
    }

    /// <summary>The payload of a <c>BytesMessage</c>.</summary>
    /// <exception cref="FormatException">The bytes are not a protobuf message.</exception>
    public static ReadOnlyMemory<byte> ParseBytes(ReadOnlyMemory<byte> message)
    {
        var reader = new WireReader(message.Span);
        ReadOnlyMemory<byte> data = default;
        int field;
        while ((field = reader.ReadField()) != 0)
        {
            if (field == BytesMessage.DataFieldNumber)
            {
                var length = reader.ReadBytes().Length;
                data = message.Slice(reader.Position - length, length);
            }
            else
            {
                reader.Skip();
            }
        }
        return data;
    }
}
