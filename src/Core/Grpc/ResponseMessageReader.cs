using System.Buffers;
using System.Buffers.Binary;

namespace BuildKit.Grpc;

/// <summary>
/// Takes length-prefixed gRPC messages out of a response's body. It holds a pooled buffer only while a read is under way or a part of a message waits in it,
/// so that an idle stream costs nothing.
/// </summary>
internal sealed class ResponseMessageReader(Stream body, int maxMessageSize)
{
    private const int MinBufferSize = 16 << 10;
    private const int MaxKeptBufferSize = 256 << 10;

    private int _bufferSize = MinBufferSize;
    private byte[] _buffer = [];
    private int _start;
    private int _end;

    /// <summary>The message that <see cref="MoveNextAsync"/> found; valid until <see cref="Advance"/>, which must follow.</summary>
    public ReadOnlySequence<byte> Current { get; private set; }

    /// <summary>Whether there is one more message. On a fault or at the end the buffer goes back to its pool.</summary>
    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var missing = FindMessage();
                if (missing == 0)
                    return true;
                MakeRoom(missing);
                var count = await body.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
                if (count > 0)
                {
                    _end += count;
                    continue;
                }

                if (_end > _start)
                    throw new RpcException(new Status(StatusCode.Internal, "The peer ended the call in the middle of a message."));
                Release();
                return false;
            }
        }
        catch
        {
            Release();
            throw;
        }
    }

    public void Advance()
    {
        _start += RequestFrameWriter.PrefixLength + (int)Current.Length;
        Current = default;
        if (_start == _end)
            Release();
    }

    /// <summary>How many bytes are missing for a whole message; 0 when <see cref="Current"/> holds one.</summary>
    private int FindMessage()
    {
        var available = _buffer.AsSpan(_start, _end - _start);
        if (available.Length < RequestFrameWriter.PrefixLength)
            return RequestFrameWriter.PrefixLength - available.Length;
        if (available[0] != 0)
            throw new RpcException(new Status(StatusCode.Internal, "The peer sent a compressed message without being asked to."));
        var size = BinaryPrimitives.ReadUInt32BigEndian(available[1..]);
        if (size > (uint)maxMessageSize)
            throw new RpcException(
                new Status(StatusCode.ResourceExhausted, $"The peer sent a message of {size} bytes; {maxMessageSize} bytes are accepted."));
        var whole = RequestFrameWriter.PrefixLength + (int)size;
        if (available.Length < whole)
            return whole - available.Length;
        Current = new ReadOnlySequence<byte>(_buffer, _start + RequestFrameWriter.PrefixLength, (int)size);
        return 0;
    }

    private void MakeRoom(int missing)
    {
        if (_buffer.Length - _end >= missing)
            return;
        var held = _end - _start;
        _bufferSize = Math.Max(_bufferSize, Math.Min(held + missing, MaxKeptBufferSize));
        if (_buffer.Length >= held + missing)
        {
            _buffer.AsSpan(_start, held).CopyTo(_buffer);
        }
        else
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(held + missing, _bufferSize));
            _buffer.AsSpan(_start, held).CopyTo(larger);
            Release();
            _buffer = larger;
        }

        _start = 0;
        _end = held;
    }

    private void Release()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _start = _end = 0;
    }
}
