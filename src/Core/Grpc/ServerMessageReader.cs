using System.Buffers;
using System.Buffers.Binary;
using BuildKit.Http2;

namespace BuildKit.Grpc;

/// <summary>The length-prefixed messages of a request, parsed where they lie in the stream's buffer.</summary>
internal sealed class ServerMessageReader<T>(Http2ServerStream stream, Marshaller<T> marshaller, int maxMessageSize, CancellationToken callCancelled) : IAsyncStreamReader<T>
{
    /// <summary>A flag for compression and the length.</summary>
    public const int PrefixLength = 5;

    public T Current { get; private set; } = default!;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var cancelled = cancellationToken.CanBeCanceled ? cancellationToken : callCancelled;
        try
        {
            while (true)
            {
                var result = await stream.ReadAsync(cancelled).ConfigureAwait(false);
                var (consumed, examined) = (result.Buffer.Start, result.Buffer.End);
                try
                {
                    if (TryParse(result.Buffer, out var message, out var end))
                    {
                        (consumed, examined) = (end, end);
                        Current = message;
                        return true;
                    }

                    if (!result.IsCompleted)
                        continue;
                    if (!result.Buffer.IsEmpty)
                        throw Failure(StatusCode.Internal, "The request ends inside a message.");
                    return false;
                }
                finally
                {
                    stream.AdvanceTo(consumed, examined);
                }
            }
        }
        catch (Http2StreamException exception)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, exception.Message), null, exception);
        }
    }

    /// <summary>The one message of a call that has only one.</summary>
    public async Task<T> ReadSingleAsync()
    {
        if (!await MoveNext(callCancelled).ConfigureAwait(false))
            throw Failure(StatusCode.Internal, "The request has no message.");
        var message = Current;
        if (await MoveNext(callCancelled).ConfigureAwait(false))
            throw Failure(StatusCode.Internal, "The request has more than one message.");
        return message;
    }

    private bool TryParse(in ReadOnlySequence<byte> buffer, out T message, out SequencePosition end)
    {
        message = default!;
        end = default;
        if (buffer.Length < PrefixLength)
            return false;

        Span<byte> prefix = stackalloc byte[PrefixLength];
        buffer.Slice(0, PrefixLength).CopyTo(prefix);
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (prefix[0] > 1)
            throw Failure(StatusCode.Internal, "A message of the request has unknown flags.");
        if (prefix[0] == 1)
            throw CompressionUnsupported();
        if (length > maxMessageSize)
            throw Failure(StatusCode.ResourceExhausted, $"A message of the request has {length} octets, the limit is {maxMessageSize}.");
        if (buffer.Length - PrefixLength < length)
            return false;

        var body = buffer.Slice(PrefixLength, length);
        end = body.End;
        try
        {
            message = marshaller.Deserializer(body);
        }
        catch (Google.Protobuf.InvalidProtocolBufferException exception)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A message of the request can't be parsed."), null, exception);
        }

        return true;
    }

    private static RpcException Failure(StatusCode code, string detail) => new(new Status(code, detail));

    // grpc/grpc doc/compression.md: the answer says what would have been understood.
    private static RpcException CompressionUnsupported() =>
        new(new Status(StatusCode.Unimplemented, "Compressed messages are not supported."), [new Metadata.Entry(ServerHeaders.AcceptEncoding, ServerHeaders.Identity)]);
}
