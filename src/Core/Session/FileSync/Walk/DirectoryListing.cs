using System.Buffers;
using System.Buffers.Binary;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// The names in a directory, in pooled memory of 16 bytes a name besides the name itself, in the order of their bytes, which is the one that the
/// receiver insists on. To be filled and read by one user at a time, and again for another directory.
/// </summary>
internal sealed class DirectoryListing : IDisposable
{
    private byte[] _names = [];
    private Entry[] _entries = [];
    private int _namesLength;

    public int Count { get; private set; }

    public void Clear() => Count = _namesLength = 0;

    public void Add(ReadOnlySpan<byte> name, bool isDirectory)
    {
        Grow(ref _names, _namesLength, name.Length, 4096);
        Grow(ref _entries, Count, 1, 64);
        name.CopyTo(_names.AsSpan(_namesLength));
        _entries[Count++] = new Entry(Prefix(name), _namesLength, (ushort)name.Length, isDirectory);
        _namesLength += name.Length;
    }

    public void Sort()
    {
        var names = _names;
        _entries.AsSpan(0, Count).Sort((x, y) =>
        {
            var order = x.Prefix.CompareTo(y.Prefix);
            return order != 0 ? order : names.AsSpan(x.Offset, x.Length).SequenceCompareTo(names.AsSpan(y.Offset, y.Length));
        });
    }

    public ReadOnlySpan<byte> Name(int index) => _names.AsSpan(_entries[index].Offset, _entries[index].Length);

    public bool IsDirectory(int index) => _entries[index].IsDirectory;

    public void Dispose()
    {
        Clear();
        Return(ref _names);
        Return(ref _entries);
    }

    /// <summary>The first eight bytes as a number of the same order, which settles most comparisons.</summary>
    private static ulong Prefix(ReadOnlySpan<byte> name)
    {
        if (name.Length >= 8)
            return BinaryPrimitives.ReadUInt64BigEndian(name);
        Span<byte> padded = stackalloc byte[8];
        padded.Clear();
        name.CopyTo(padded);
        return BinaryPrimitives.ReadUInt64BigEndian(padded);
    }

    private static void Grow<T>(ref T[] array, int used, int more, int least)
    {
        if (used + more <= array.Length)
            return;
        // The pool's arrays double in size.
        var larger = ArrayPool<T>.Shared.Rent(Math.Max(least, used + more));
        array.AsSpan(0, used).CopyTo(larger);
        Return(ref array);
        array = larger;
    }

    private static void Return<T>(ref T[] array)
    {
        if (array.Length > 0)
            ArrayPool<T>.Shared.Return(array);
        array = [];
    }

    private readonly record struct Entry(ulong Prefix, int Offset, ushort Length, bool IsDirectory);
}
