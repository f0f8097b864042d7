using System.Buffers;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>A root and a path below it as the zero-terminated bytes that system calls take; in the caller's scratch memory where it is large enough.</summary>
internal readonly ref struct LinuxPath
{
    private readonly byte[]? _rented;

    public LinuxPath(ReadOnlySpan<byte> root, ReadOnlySpan<byte> path, Span<byte> scratch)
    {
        var length = root.Length + path.Length + 2;
        if (length > scratch.Length)
            scratch = _rented = ArrayPool<byte>.Shared.Rent(length);
        root.CopyTo(scratch);
        var written = root.Length;
        if (!path.IsEmpty)
        {
            scratch[written++] = (byte)'/';
            path.CopyTo(scratch[written..]);
            written += path.Length;
        }

        scratch[written] = 0;
        Bytes = scratch;
    }

    public ReadOnlySpan<byte> Bytes { get; }

    public void Dispose()
    {
        if (_rented is not null)
            ArrayPool<byte>.Shared.Return(_rented);
    }
}
