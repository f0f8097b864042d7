using System.Net;

namespace BuildKit.Grpc;

/// <summary>
/// The body of a call that sends one message. It may be written again, when SocketsHttpHandler repeats a request that the peer never looked at.
/// </summary>
internal sealed class UnaryRequestContent<T> : HttpContent
{
    private readonly T _message;
    private readonly Marshaller<T> _marshaller;
    private readonly int? _maxMessageSize;

    public UnaryRequestContent(T message, Marshaller<T> marshaller, int? maxMessageSize)
    {
        _message = message;
        _marshaller = marshaller;
        _maxMessageSize = maxMessageSize;
        Headers.ContentType = RequestHeaderWriter.ContentType;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var writer = new RequestFrameWriter(_maxMessageSize);
        try
        {
            await stream.WriteAsync(writer.Serialize(_message, _marshaller), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            writer.Release();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
