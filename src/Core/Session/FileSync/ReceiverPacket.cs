namespace BuildKit.Session.FileSync;

/// <summary>A packet from the receiver.</summary>
/// <param name="Type">Its type; <see cref="PacketType.Stat"/> and <see cref="PacketType.Data"/> have no business here.</param>
/// <param name="Id">The file that is requested.</param>
/// <param name="Text">What went wrong.</param>
internal readonly record struct ReceiverPacket(PacketType Type, uint Id, string Text);
