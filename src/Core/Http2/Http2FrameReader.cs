using System.Buffers;

namespace BuildKit.Http2;

/// <summary>Cuts what the peer sends into frames. It reads as much as the transport has and hands out frames from its buffer.</summary>
internal sealed class Http2FrameReader(Stream transport, int maxFrameSize) : IDisposable
{
    // Room for several frames of the usual size, so that a busy connection needs few reads.
    private const int MinBufferSize = 128 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(MinBufferSize, 2 * (maxFrameSize + Http2FrameHeader.Size)));
    private int _start;
    private int _end;

    /// <summary>Whether the peer stopped in the middle of a frame.</summary>
    public bool HasPartialFrame => _end > _start;

    /// <summary>Takes octets that are no frame, if that many are there: the client's preface.</summary>
    public bool TryReadRaw(int length, out ReadOnlySpan<byte> octets)
    {
        octets = default;
        if (_end - _start < length)
            return false;
        octets = _buffer.AsSpan(_start, length);
        _start += length;
        return true;
    }

    /// <summary>The octets that were read and not yet taken.</summary>
    public ReadOnlySpan<byte> Peek() => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Takes the next frame if all of it is there. The payload is valid until the next call of <see cref="FillAsync"/>.</summary>
    /// <exception cref="Http2ConnectionException">The frame is larger than we said we accept (RFC 9113 section 4.2).</exception>
    public bool TryReadFrame(out Http2FrameHeader header, out ReadOnlySpan<byte> payload)
    {
        header = default;
        payload = default;
        var available = _end - _start;
        if (available < Http2FrameHeader.Size)
            return false;
        header = Http2FrameHeader.Read(_buffer.AsSpan(_start));
        if (header.Length > maxFrameSize)
            throw new Http2ConnectionException(Http2ErrorCode.FrameSizeError, $"A frame of {header.Length} octets exceeds the limit of {maxFrameSize}.");
        if (available < Http2FrameHeader.Size + header.Length)
            return false;
        payload = _buffer.AsSpan(_start + Http2FrameHeader.Size, header.Length);
        _start += Http2FrameHeader.Size + header.Length;
        return true;
    }

    /// <summary>Reads more; false when the peer closed its side.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        var read = await transport.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        (_start, _end) = (0, 0);
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }
}
