using System.Buffers;
using BuildKit.Grpc;

namespace BuildKit.Session.FileSend;

/// <summary>
/// A message of <c>FileSend/DiffCopy</c> as it came, in a rented buffer. What it is (fsutil's <c>Packet</c> or a <c>BytesMessage</c>) depends on the output, which only the handler knows;
/// so it is parsed there, and the payload goes from this buffer to the file without another copy. Whoever takes it from the stream disposes it.
/// </summary>
internal readonly struct FileSendMessage : IDisposable
{
    private readonly byte[]? _buffer;
    private readonly int _length;

    private FileSendMessage(byte[] buffer, int length)
    {
        _buffer = buffer;
        _length = length;
    }

    public static Marshaller<FileSendMessage> Marshaller { get; } = new(
        static message => message._length,
        static (message, writer) => writer.Write(message.Memory.Span),
        static data => Copy(data));

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    public static FileSendMessage Copy(in ReadOnlySequence<byte> data)
    {
        var length = checked((int)data.Length);
        if (length == 0)
            return default;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        data.CopyTo(buffer);
        return new FileSendMessage(buffer, length);
    }

    public void Dispose()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
    }
}
