using System.Buffers;
using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>
/// Packets that are sent together. Several parts of a transfer share one stream, and each change from one to another wakes a thread: one for
/// every packet would cost many times what the packet does.
/// </summary>
internal sealed class PacketBatch : IDisposable
{
    /// <summary>How many bytes fit into a batch, and how much of a large file goes into one packet. Upstream takes 32 KiB; the receiver takes any.</summary>
    public const int Capacity = 128 * 1024;

    private readonly List<SenderPacket> _packets = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Capacity);
    private int _used;

    public int Count { get; private set; }

    public SenderPacket this[int index] => _packets[index];

    /// <summary>Room for more content; what is read into it becomes part of the batch by <see cref="AddContent"/>.</summary>
    public Memory<byte> Free => _buffer.AsMemory(_used, Capacity - _used);

    /// <summary>Adds a file to the list; false if it does not fit in any more.</summary>
    public bool TryAddStat(FileStat stat)
    {
        var packet = Next().SetStat(stat);
        var size = PacketMarshallers.Size(packet);
        if (size > Capacity - _used)
        {
            Count--;
            return false;
        }

        PacketMarshallers.WriteHead(packet, _buffer.AsSpan(_used, size));
        packet.SetEncodedStat(_buffer.AsMemory(_used, size));
        _used += size;
        return true;
    }

    /// <summary>Adds a packet with what was read into <see cref="Free"/>, and where that was the last of the file, its end.</summary>
    public void AddContent(uint id, int length, bool isLast)
    {
        if (length > 0)
            Next().SetData(id, _buffer.AsMemory(_used, length));
        if (isLast)
            Next().SetData(id, default);
        _used += length;
    }

    public void Clear() => Count = _used = 0;

    public void Dispose()
    {
        Clear();
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private SenderPacket Next()
    {
        if (Count == _packets.Count)
            _packets.Add(new SenderPacket());
        return _packets[Count++];
    }
}
