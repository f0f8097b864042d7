namespace BuildKit.Grpc;

/// <summary>Sends the messages of a call's request.</summary>
internal sealed class ClientStreamWriter<T>(GrpcCall call, StreamingRequestContent content, Marshaller<T> marshaller, int? maxMessageSize)
    : IClientStreamWriter<T>
{
    private readonly RequestFrameWriter _frames = new(maxMessageSize);
    private int _isWriting;

    /// <summary>
    /// Completes once flow control has let the message through. Cancelling the token cancels the call, as half a message can't be taken back. When the peer
    /// ended the call, the exception has its status, <see cref="StatusCode.OK"/> included, where that is known yet; the reader gets it in any case.
    /// </summary>
    public async ValueTask WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isWriting, 1) != 0)
            throw new InvalidOperationException("The write before this one has not completed.");
        try
        {
            using var registration = cancellationToken.UnsafeRegister(static (call, token) => ((GrpcCall)call!).Cancel(token), call);
            if (call.Outcome is { } ended)
                throw ended.ToException();
            if (content.IsCompleted)
                throw new InvalidOperationException("The request was completed before.");
            var stream = await GetStreamAsync().ConfigureAwait(false);
            var frame = _frames.Serialize(message, marshaller);
            await SendAsync(stream, frame).ConfigureAwait(false);
        }
        finally
        {
            _frames.Release();
            Volatile.Write(ref _isWriting, 0);
        }
    }

    public ValueTask CompleteAsync()
    {
        content.Complete();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<Stream> GetStreamAsync()
    {
        try
        {
            return await content.GetStreamAsync(call.Ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (call.Outcome is { } ended)
        {
            throw ended.ToException();
        }
    }

    private async ValueTask SendAsync(Stream stream, ReadOnlyMemory<byte> frame)
    {
        try
        {
            await stream.WriteAsync(frame, call.Ended).ConfigureAwait(false);
            await stream.FlushAsync(call.Ended).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The peer may have ended the call while we wrote: its status, which the response tells, says more than our fault.
            // The HTTP/2 stream is dead, so the wait is short.
            await call.Response.ConfigureAwait(false);
            throw (call.Outcome ?? call.Explain(e)).ToException();
        }
    }
}
