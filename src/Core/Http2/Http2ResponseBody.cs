using System.Buffers;
using System.IO.Pipelines;
using BuildKit.Http2.Hpack;

namespace BuildKit.Http2;

/// <summary>
/// The response of one request between the handler, which writes it, and <see cref="Http2Output"/>, which turns it into frames when it is this stream's turn:
/// headers, then the body, then trailers.
/// </summary>
internal sealed class Http2ResponseBody
{
    private readonly Pipe _pipe;
    private volatile IReadOnlyList<HeaderField>? _headers;
    private IReadOnlyList<HeaderField>? _trailers;
    private bool _headersWritten;

    /// <param name="sendBufferSize">How many octets may wait to be sent before the handler is made to wait.</param>
    public Http2ResponseBody(int sendBufferSize) =>
        _pipe = new Pipe(new PipeOptions(
            pauseWriterThreshold: sendBufferSize, resumeWriterThreshold: sendBufferSize / 2, minimumSegmentSize: 32 * 1024, useSynchronizationContext: false));

    /// <summary>Where the handler writes the body.</summary>
    public PipeWriter Writer => _pipe.Writer;

    public bool HasHeaders => _headers is not null;

    /// <summary>Whether the handler has said all it has to say.</summary>
    public bool IsCompleted { get; private set; }

    /// <summary>Whether the last frame was written, or the response was given up. Only the output loop changes it.</summary>
    public bool IsEnded { get; private set; }

    public void SetHeaders(IReadOnlyList<HeaderField> headers)
    {
        if (_headers is not null)
            throw new InvalidOperationException("The response headers were already given.");
        _headers = headers;
    }

    public void Complete(IReadOnlyList<HeaderField>? trailers)
    {
        if (IsCompleted)
            throw new InvalidOperationException("The response was already completed.");
        if (_headers is null)
            throw new InvalidOperationException("The response has no headers.");
        _trailers = trailers;
        IsCompleted = true;
        _pipe.Writer.Complete();
    }

    /// <summary>Writes at most one DATA frame, and the headers and trailers that are due. For the output loop only.</summary>
    /// <param name="target">Takes the frames.</param>
    /// <param name="streamId">The stream's number.</param>
    /// <param name="allowance">How many octets of DATA flow control lets through.</param>
    /// <param name="more">Whether the stream needs another turn once there is an allowance.</param>
    /// <returns>The number of octets of DATA written.</returns>
    public int WriteFrames(Http2FrameTarget target, int streamId, long allowance, out bool more)
    {
        more = false;
        if (_headers is not { } headers || IsEnded)
            return 0;

        var hasResult = _pipe.Reader.TryRead(out var result);
        var buffer = hasResult ? result.Buffer : ReadOnlySequence<byte>.Empty;
        var length = (int)Math.Min(Math.Min(buffer.Length, target.MaxDataLength), Math.Max(allowance, 0));

        // The pipe is also completed when a handler fails: only Complete means that the response is whole.
        var finished = hasResult && result.IsCompleted && IsCompleted && length == buffer.Length;
        if (!_headersWritten)
        {
            _headersWritten = true;
            IsEnded = finished && buffer.IsEmpty && _trailers is null;
            target.WriteHeaders(streamId, headers, IsEnded);
        }

        var endWithData = finished && _trailers is null && !IsEnded;
        if (length > 0 || endWithData)
        {
            Http2FrameWriter.WriteData(target.Buffer, streamId, buffer.Slice(0, length), endWithData);
            IsEnded = endWithData;
        }

        if (finished && _trailers is { } trailers)
        {
            target.WriteHeaders(streamId, trailers, endStream: true);
            IsEnded = true;
        }

        more = length < buffer.Length;
        if (hasResult)
        {
            var consumed = buffer.GetPosition(length);
            _pipe.Reader.AdvanceTo(consumed, consumed);
        }

        if (IsEnded)
            _pipe.Reader.Complete();
        return length;
    }

    /// <summary>Throws away what was not sent; the handler's writes fail from now on. For the output loop, or after it ended.</summary>
    public void Abandon(Exception exception)
    {
        IsEnded = true;
        _pipe.Reader.Complete(exception);
    }
}
