using System.Buffers;
using System.Buffers.Binary;

namespace BuildKit.Grpc;

/// <summary>Turns one message at a time into a length-prefixed gRPC message in a pooled buffer (doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message").</summary>
internal sealed class RequestFrameWriter(int? maxMessageSize) : IBufferWriter<byte>
{
    public const int PrefixLength = 5;

    // A writer may ask for room once more after the last byte, and an IBufferWriter never returns an empty span.
    private const int Slack = 16;

    private byte[] _buffer = [];
    private int _length;

    /// <summary>The frame of a message; it is valid until <see cref="Release"/>.</summary>
    public ReadOnlyMemory<byte> Serialize<T>(T message, Marshaller<T> marshaller)
    {
        var size = marshaller.Size(message);
        if (size > maxMessageSize)
            throw new RpcException(
                new Status(StatusCode.ResourceExhausted, $"A message of {size} bytes is larger than the {maxMessageSize} bytes that may be sent."));
        _buffer = ArrayPool<byte>.Shared.Rent(PrefixLength + size + Slack);
        _buffer[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(1), size);
        _length = PrefixLength;
        marshaller.Serializer(message, this);
        if (_length != PrefixLength + size)
            throw new InvalidOperationException($"A message of {size} bytes was written as {_length - PrefixLength} bytes.");
        return _buffer.AsMemory(0, _length);
    }

    public void Release()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_buffer.Length - _length < Math.Max(sizeHint, 1))
            throw new InvalidOperationException("A message is larger than the size it gave.");
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}
