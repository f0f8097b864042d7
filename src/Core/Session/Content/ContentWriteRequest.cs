using System.Buffers;
using System.Text;
using BuildKit.Grpc;
using BuildKit.Protocol.Content;
using BuildKit.Session.FileSend;
using Status = BuildKit.Grpc.Status;

namespace BuildKit.Session.Content;

/// <summary><c>WriteContentRequest</c> in a rented buffer: its content goes from there to the file without another copy. Whoever takes it from the stream disposes it.</summary>
internal readonly struct ContentWriteRequest : IDisposable
{
    private const int ActionField = 1;
    private const int RefField = 2;
    private const int TotalField = 3;
    private const int ExpectedField = 4;
    private const int OffsetField = 5;
    private const int DataField = 6;

    private readonly byte[]? _buffer;

    private ContentWriteRequest(byte[] buffer, int length)
    {
        _buffer = buffer;
        Ref = Expected = string.Empty;
        var reader = new WireReader(buffer.AsSpan(0, length));
        int field;
        while ((field = reader.ReadField()) != 0)
        {
            switch (field)
            {
                case ActionField:
                    Action = (WriteAction)reader.ReadUInt64();
                    break;
                case RefField:
                    Ref = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case TotalField:
                    Total = (long)reader.ReadUInt64();
                    break;
                case ExpectedField:
                    Expected = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case OffsetField:
                    Offset = (long)reader.ReadUInt64();
                    break;
                case DataField:
                    var size = reader.ReadBytes().Length;
                    Data = buffer.AsMemory(reader.Position - size, size);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    public static Marshaller<ContentWriteRequest> Marshaller { get; } =
        new(static _ => throw new NotSupportedException(), static (_, _) => throw new NotSupportedException(), static message => Read(message));

    public WriteAction Action { get; }

    public string Ref { get; } = string.Empty;

    public long Total { get; }

    public string Expected { get; } = string.Empty;

    public long Offset { get; }

    public ReadOnlyMemory<byte> Data { get; }

    public void Dispose()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
    }

    private static ContentWriteRequest Read(in ReadOnlySequence<byte> message)
    {
        var length = checked((int)message.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            message.CopyTo(buffer);
            return new ContentWriteRequest(buffer, length);
        }
        catch (FormatException e)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw new RpcException(new Status(StatusCode.Internal, $"a message that the daemon sent for a blob can't be read: {e.Message}"), null, e);
        }
    }
}
