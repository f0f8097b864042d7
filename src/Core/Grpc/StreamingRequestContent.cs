using System.Net;

namespace BuildKit.Grpc;

/// <summary>The body of a call that sends many messages: it hands the request's stream out and stays open until it is completed or aborted.</summary>
internal sealed class StreamingRequestContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StreamingRequestContent() => Headers.ContentType = RequestHeaderWriter.ContentType;

    public bool IsCompleted => _completed.Task.IsCompleted;

    /// <summary>The request's stream, as soon as there is a connection for it.</summary>
    public Task<Stream> GetStreamAsync(CancellationToken cancellationToken) => _stream.Task.WaitAsync(cancellationToken);

    /// <summary>Ends the request in good order.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <summary>Ends the request by resetting its HTTP/2 stream, unless it was completed before.</summary>
    public void Abort() => _completed.TrySetCanceled();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // A second time means that the peer refused the stream and SocketsHttpHandler wants to repeat it; the messages written so far are gone.
        if (!_stream.TrySetResult(stream))
            throw new IOException("The peer refused the call after its first messages were written.");

        // SocketsHttpHandler holds the headers back until the body's first flush.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);

        // Not with the handler's token: it is cancelled when the peer resets the stream, and our exception would hide that reset. The end of the call ends
        // this wait too.
        await _completed.Task.ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
