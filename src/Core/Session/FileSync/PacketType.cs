namespace BuildKit.Session.FileSync;

/// <summary>fsutil <c>types.Packet.PacketType</c>.</summary>
internal enum PacketType
{
    /// <summary>A file that exists; without one, the end of the list.</summary>
    Stat = 0,

    /// <summary>The receiver wants the content of a file.</summary>
    Request = 1,

    /// <summary>A piece of that content; an empty one is its end.</summary>
    Data = 2,

    /// <summary>The receiver has what it wants; the answer says goodbye.</summary>
    Finish = 3,

    /// <summary>The other side can't go on; the data is a text.</summary>
    Error = 4,
}
