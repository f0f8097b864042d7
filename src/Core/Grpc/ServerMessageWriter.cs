using System.Buffers.Binary;
using BuildKit.Http2;

namespace BuildKit.Grpc;

/// <summary>The length-prefixed messages of a response, serialised straight into the stream's send buffer.</summary>
internal sealed class ServerMessageWriter<T>(Http2ServerStream stream, Marshaller<T> marshaller, CancellationToken callCancelled) : IServerStreamWriter<T>
{
    private int _writing;

    /// <summary>
    /// Writes a message. It waits while the stream's send buffer is full; as long as it is not, messages are gathered into fewer writes.
    /// </summary>
    public ValueTask WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _writing, 1) != 0)
            throw new InvalidOperationException("The previous message is still being written.");
        var waits = false;
        try
        {
            ThrowIfAborted();
            Write(message);
            var flush = stream.FlushAsync(cancellationToken.CanBeCanceled ? cancellationToken : callCancelled);
            if (flush.IsCompletedSuccessfully)
            {
                flush.GetAwaiter().GetResult();
                return ValueTask.CompletedTask;
            }

            waits = true;
            return WaitAsync(flush);
        }
        finally
        {
            if (!waits)
                Volatile.Write(ref _writing, 0);
        }
    }

    /// <summary>Writes a message that is sent with the next one or with the end of the response.</summary>
    public void Write(T message)
    {
        if (!stream.HasStarted)
            stream.StartResponse(ServerHeaders.ForResponse([]));

        var output = stream.Output;
        var size = marshaller.Size(message);
        var prefix = output.GetSpan(ServerMessageReader<T>.PrefixLength);
        prefix[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], size);
        output.Advance(ServerMessageReader<T>.PrefixLength);

        var before = output.UnflushedBytes;
        var whole = false;
        try
        {
            marshaller.Serializer(message, output);
            whole = output.UnflushedBytes - before == size;
            if (!whole)
                throw new InvalidOperationException($"A message of {typeof(T).Name} was announced with {size} octets and has {output.UnflushedBytes - before}.");
        }
        finally
        {
            // What is in the buffer can't be taken back, and the peer must not take it for a message.
            if (!whole)
                stream.Reset(Http2ErrorCode.InternalError);
        }
    }

    private async ValueTask WaitAsync(ValueTask<System.IO.Pipelines.FlushResult> flush)
    {
        try
        {
            await flush.ConfigureAwait(false);
        }
        catch (Http2StreamException exception)
        {
            throw Cancelled(exception);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    private void ThrowIfAborted()
    {
        if (stream.AbortReason is { } reason)
            throw Cancelled(reason);
    }

    private static RpcException Cancelled(Http2StreamException exception) => new(new Status(StatusCode.Cancelled, exception.Message), null, exception);
}
