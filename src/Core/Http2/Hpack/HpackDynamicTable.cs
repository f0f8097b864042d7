namespace BuildKit.Http2.Hpack;

/// <summary>The headers that a connection has seen lately, newest first, within a size in octets (RFC 7541 sections 2.3.2 and 4).</summary>
internal sealed class HpackDynamicTable
{
    private readonly HeaderField[] _ring;
    private int _newest;

    /// <param name="capacity">The largest size that <see cref="Resize"/> will be asked for, and the size to start with.</param>
    public HpackDynamicTable(int capacity)
    {
        // Not even an empty field takes less than the overhead, so this many entries are the most there can be.
        _ring = new HeaderField[(capacity / HeaderField.Overhead) + 1];
        Capacity = capacity;
        MaxSize = capacity;
    }

    public int Capacity { get; }

    public int MaxSize { get; private set; }

    public int Size { get; private set; }

    public int Count { get; private set; }

    /// <summary>The entry that was added as the <paramref name="age"/>th before the newest, which is 0.</summary>
    public HeaderField this[int age] => _ring[(_newest + age) % _ring.Length];

    /// <summary>Adds an entry and evicts the oldest to make room; one that is larger than the table empties it (RFC 7541 section 4.4).</summary>
    public void Add(HeaderField field)
    {
        EvictTo(MaxSize - field.Size);
        if (field.Size > MaxSize)
            return;
        _newest = (_newest + _ring.Length - 1) % _ring.Length;
        _ring[_newest] = field;
        Count++;
        Size += field.Size;
    }

    /// <summary>Changes the size, up to the capacity, and evicts what no longer fits (RFC 7541 section 4.3).</summary>
    public void Resize(int maxSize)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxSize, Capacity);
        MaxSize = maxSize;
        EvictTo(maxSize);
    }

    private void EvictTo(int size)
    {
        while (Count > 0 && Size > size)
        {
            var oldest = (_newest + Count - 1) % _ring.Length;
            Size -= _ring[oldest].Size;
            _ring[oldest] = default;
            Count--;
        }
    }
}
