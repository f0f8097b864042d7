using System.Buffers;
using System.Numerics;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// The paths of files by number, for a hundred thousand of them in a megabyte or two: in blocks of 64, each path as what differs from the one before it,
/// which in a sorted walk is little more than its name. Blocks whose paths have all been taken are let go. Safe for concurrent use.
/// </summary>
internal sealed class PathTable
{
    private const int BlockLength = 64;

    private readonly object _lock = new();
    private readonly List<Block> _blocks = [];
    private readonly ArrayBufferWriter<byte> _open = new(4096);
    private byte[] _last = new byte[256];
    private int _lastLength;
    private int _count;

    /// <summary>Adds a path and a number that belongs to it (not below -1); returns its index, one more than the last.</summary>
    public int Add(ReadOnlySpan<byte> path, long number)
    {
        lock (_lock)
        {
            var index = Next();
            var block = _blocks[^1];
            block.Present |= Bit(index);
            block.Pending |= Bit(index);
            var shared = _last.AsSpan(0, _lastLength).CommonPrefixLength(path);
            Write((ulong)shared);
            Write((ulong)(path.Length - shared));
            Write((ulong)(number + 1));
            _open.Write(path[shared..]);
            Keep(path, ref _last);
            _lastLength = path.Length;
            return index;
        }
    }

    /// <summary>Uses up an index without a path.</summary>
    public void Skip()
    {
        lock (_lock)
            Next();
    }

    /// <summary>Reads a path that was added, into a buffer that is replaced by a larger one where needed; returns its length.</summary>
    public int Read(int index, ref byte[] path)
    {
        lock (_lock)
            return Find(index, ref path, out _);
    }

    /// <summary>Reads a path that is not needed again; false if there is none of this index, or it was taken before.</summary>
    public bool TryTake(uint index, ref byte[] path, out int pathLength, out long number)
    {
        lock (_lock)
        {
            pathLength = 0;
            number = 0;
            if (index >= (uint)_count)
                return false;
            var block = _blocks[(int)index / BlockLength];
            if ((block.Pending & Bit((int)index)) == 0)
                return false;
            pathLength = Find((int)index, ref path, out number);
            block.Pending &= ~Bit((int)index);
            if (block.Pending == 0 && block.Sealed is not null)
                block.Sealed = [];
            return true;
        }
    }

    private static ulong Bit(int index) => 1UL << (index % BlockLength);

    private int Next()
    {
        if (_count % BlockLength == 0)
        {
            if (_count > 0)
                _blocks[^1].Sealed = _blocks[^1].Pending == 0 ? [] : _open.WrittenSpan.ToArray();
            _blocks.Add(new Block());
            _open.ResetWrittenCount();
            _lastLength = 0;
        }

        return _count++;
    }

    private int Find(int index, ref byte[] path, out long number)
    {
        var block = _blocks[index / BlockLength];
        var data = block.Sealed ?? _open.WrittenSpan;
        var length = 0;
        number = 0;
        for (var entries = BitOperations.PopCount(block.Present & (Bit(index) | (Bit(index) - 1))); entries > 0; entries--)
        {
            var shared = (int)Take(ref data);
            var rest = (int)Take(ref data);
            number = (long)Take(ref data) - 1;
            length = shared + rest;
            if (path.Length < length)
                Array.Resize(ref path, 2 * length);
            data[..rest].CopyTo(path.AsSpan(shared));
            data = data[rest..];
        }

        return length;
    }

    private void Write(ulong value)
    {
        var span = _open.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        _open.Advance(length);
    }

    private static ulong Take(ref ReadOnlySpan<byte> data)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = data[0];
            data = data[1..];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }
    }

    private static void Keep(ReadOnlySpan<byte> path, ref byte[] buffer)
    {
        if (buffer.Length < path.Length)
            buffer = new byte[path.Length * 2];
        path.CopyTo(buffer);
    }

    private sealed class Block
    {
        /// <summary>Which of the indexes have a path.</summary>
        public ulong Present { get; set; }

        /// <summary>Which of them have not been taken.</summary>
        public ulong Pending { get; set; }

        /// <summary>The paths; null while more are added.</summary>
        public byte[]? Sealed { get; set; }
    }
}
