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

    public SenderPacket SetStat(FileStat? stat) => Set(PacketType.Stat, 0, default, stat);

    public SenderPacket SetData(uint id, ReadOnlyMemory<byte> data) => Set(PacketType.Data, id, data, null);

    public SenderPacket SetFinish() => Set(PacketType.Finish, 0, default, null);

    public SenderPacket SetError(ReadOnlyMemory<byte> text) => Set(PacketType.Error, 0, text, null);

    private SenderPacket Set(PacketType type, uint id, ReadOnlyMemory<byte> data, FileStat? stat)
    {
        Type = type;
        Id = id;
        Data = data;
        Stat = stat;
        return this;
    }
}

/// <summary>A packet from the receiver.</summary>
/// <param name="Type">Its type; <see cref="PacketType.Stat"/> and <see cref="PacketType.Data"/> have no business here.</param>
/// <param name="Id">The file that is requested.</param>
/// <param name="Text">What went wrong.</param>
internal readonly record struct ReceiverPacket(PacketType Type, uint Id, string Text);
