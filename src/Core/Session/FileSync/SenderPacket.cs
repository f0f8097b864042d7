using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>
/// A packet to the receiver. One object serves for one packet after another, and its data is the very buffer that a file was read into, so that the
/// only copy is the one into the frame that is sent.
/// </summary>
internal sealed class SenderPacket
{
    public PacketType Type { get; private set; }

    /// <summary>The file, or null for the end of the list.</summary>
    public FileStat? Stat { get; private set; }

    /// <summary>Which file the data belongs to: the index of its <c>STAT</c>.</summary>
    public uint Id { get; private set; }

    public ReadOnlyMemory<byte> Data { get; private set; }

    /// <summary>The whole packet as bytes, where it has been encoded before; otherwise empty.</summary>
    public ReadOnlyMemory<byte> Encoded { get; private set; }

    public SenderPacket SetStat(FileStat? stat) => Set(PacketType.Stat, 0, default, stat, default);

    public SenderPacket SetEncodedStat(ReadOnlyMemory<byte> encoded) => Set(PacketType.Stat, 0, default, null, encoded);

    public SenderPacket SetData(uint id, ReadOnlyMemory<byte> data) => Set(PacketType.Data, id, data, null, default);

    public SenderPacket SetFinish() => Set(PacketType.Finish, 0, default, null, default);

    public SenderPacket SetError(ReadOnlyMemory<byte> text) => Set(PacketType.Error, 0, text, null, default);

    private SenderPacket Set(PacketType type, uint id, ReadOnlyMemory<byte> data, FileStat? stat, ReadOnlyMemory<byte> encoded)
    {
        Type = type;
        Id = id;
        Data = data;
        Stat = stat;
        Encoded = encoded;
        return this;
    }
}
