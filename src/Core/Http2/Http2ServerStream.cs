using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using BuildKit.Http2.Hpack;

namespace BuildKit.Http2;

/// <summary>
/// One request and its response, as a handler sees them. A handler reads with <see cref="ReadAsync"/> and <see cref="AdvanceTo"/>, calls <see cref="StartResponse"/>,
/// writes to <see cref="Output"/>, and ends with <see cref="CompleteResponse"/>. One that throws, or returns without having completed the response, has its stream reset.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer and may still be cancelled when the handler has ended; it needs no disposal.")]
internal sealed class Http2ServerStream
{
    private readonly Http2Output _output;
    private readonly CancellationTokenSource _aborted = new();
    private readonly Http2RequestBody _request;
    private readonly Http2ResponseBody _response;
    private readonly Action<Http2ServerStream, bool> _closed;
    private Abortion? _abortion;

    /// <param name="id">The stream's number.</param>
    /// <param name="headers">The request.</param>
    /// <param name="options">The connection's limits.</param>
    /// <param name="sendWindowSize">What the peer takes before it says more, in octets.</param>
    /// <param name="output">The connection's sending side.</param>
    /// <param name="returnToConnection">Gives octets back to the connection's receive window.</param>
    /// <param name="closed">Called when the stream is aborted, with whether it was us who reset it.</param>
    public Http2ServerStream(
        int id, Http2RequestHeaders headers, Http2ServerOptions options, int sendWindowSize, Http2Output output, Action<int> returnToConnection,
        Action<Http2ServerStream, bool> closed)
    {
        Id = id;
        Headers = headers;
        SendWindow = new Http2OutputFlowControl(sendWindowSize);
        _output = output;
        _closed = closed;
        _request = new Http2RequestBody(options.StreamWindowSize, returnToConnection, increment => output.AnnounceStreamWindow(this, increment));
        _response = new Http2ResponseBody(options.StreamSendBufferSize);
        Aborted = _aborted.Token;
    }

    public int Id { get; }

    /// <summary>The request's headers.</summary>
    public Http2RequestHeaders Headers { get; }

    /// <summary>Cancelled when the peer or we reset the stream, and when the connection ends.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>Why the stream was aborted, or null.</summary>
    public Http2StreamException? AbortReason => Volatile.Read(ref _abortion)?.Reason;

    /// <summary>Where the response's body is written; <see cref="FlushAsync"/> sends it.</summary>
    public PipeWriter Output => _response.Writer;

    /// <summary>Whether <see cref="StartResponse"/> was called.</summary>
    public bool HasStarted => _response.HasHeaders;

    /// <summary>Whether <see cref="CompleteResponse"/> was called.</summary>
    public bool IsCompleted => _response.IsCompleted;

    // Guarded by the lock of Http2Output.
    internal Http2OutputFlowControl SendWindow;

    internal bool IsScheduled { get; set; }

    internal int PendingWindowIncrement { get; set; }

    /// <summary>Whether the peer may still send and would like to know how much.</summary>
    internal bool IsReceiving => AbortReason is null && !_request.IsEnded && !_response.IsEnded;

    /// <summary>Whether the peer has said that its request is complete.</summary>
    internal bool IsRequestEnded => _request.IsEnded;

    /// <summary>Waits for more of the request's body; complete and empty at its end. Each result must be followed by <see cref="AdvanceTo"/>.</summary>
    /// <exception cref="Http2StreamException">The stream was reset or the connection ended.</exception>
    public ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken) => _request.ReadAsync(cancellationToken);

    /// <summary>Says how far the last result was used up, and how far it was looked at: more is awaited only beyond that.</summary>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _request.AdvanceTo(consumed, examined);

    /// <summary>Gives the response's headers, <c>:status</c> first. They are sent with the first flush or at the end.</summary>
    public void StartResponse(IReadOnlyList<HeaderField> headers) => _response.SetHeaders(headers);

    /// <summary>Sends what was written. It waits while more than the send buffer's size is unsent, because of the peer's windows or of the transport.</summary>
    /// <exception cref="Http2StreamException">The stream was reset or the connection ended.</exception>
    public ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken)
    {
        if (AbortReason is { } abort)
            return ValueTask.FromException<FlushResult>(abort);
        var flush = _response.Writer.FlushAsync(cancellationToken);
        _output.Schedule(this);
        return flush;
    }

    /// <summary>
    /// Ends the response, with trailers where there are any. What is unsent is sent still. When the peer has not ended its request, it is told with
    /// RST_STREAM(NO_ERROR) that the rest is not wanted (RFC 9113 section 8.1).
    /// </summary>
    public void CompleteResponse(IReadOnlyList<HeaderField>? trailers = null)
    {
        _response.Complete(trailers);
        _output.Schedule(this);
    }

    /// <summary>Ends the stream at once, in both directions. What is unsent is lost.</summary>
    public void Reset(Http2ErrorCode errorCode) =>
        Abort(new Http2StreamException(Id, errorCode, $"The stream was reset with {errorCode}."), resetPeer: true);

    /// <summary>Ends the stream; later calls do nothing.</summary>
    internal void Abort(Http2StreamException reason, bool resetPeer)
    {
        if (Interlocked.CompareExchange(ref _abortion, new Abortion(reason, resetPeer), null) is not null)
            return;
        _closed(this, resetPeer);
        _request.Abort(reason);
        _output.Schedule(this);

        // The callbacks are the handler's code and must not run in the read loop.
        _ = _aborted.CancelAsync();
    }

    /// <summary>Takes the payload of a DATA frame that was already taken from the connection's window.</summary>
    /// <exception cref="Http2StreamException">The peer may not send this.</exception>
    internal void Receive(ReadOnlySpan<byte> data, int flowControlledLength)
    {
        if (_request.IsEnded)
            throw new Http2StreamException(Id, Http2ErrorCode.StreamClosed, $"DATA came on stream {Id} after its end.");
        if (!_request.TryReceive(data, flowControlledLength))
            throw new Http2StreamException(Id, Http2ErrorCode.FlowControlError, $"DATA on stream {Id} exceeds its window.");
    }

    /// <summary>Shows the handler what was received.</summary>
    internal void FlushRequest() => _request.Flush();

    /// <summary>The peer has said all.</summary>
    /// <exception cref="Http2StreamException">It said less or more than its content-length (RFC 9113 section 8.1.1).</exception>
    internal void EndRequest()
    {
        if (Headers.ContentLength is { } length && length != _request.ReceivedLength)
            throw new Http2StreamException(Id, Http2ErrorCode.ProtocolError, $"The body on stream {Id} has another length than its content-length.");
        _request.End();
    }

    /// <summary>Takes a turn at sending. For the output loop only.</summary>
    internal int WriteFrames(Http2FrameTarget target, long allowance, out bool more, out bool ended)
    {
        more = false;
        ended = false;
        if (_response.IsEnded)
            return 0;
        if (Volatile.Read(ref _abortion) is { } abortion)
        {
            _response.Abandon(abortion.Reason);
            if (abortion.ResetPeer)
                Http2FrameWriter.WriteRstStream(target.Buffer, Id, abortion.Reason.ErrorCode);
            return 0;
        }

        var length = _response.WriteFrames(target, Id, allowance, out more);
        ended = _response.IsEnded;
        if (ended && !_request.IsEnded)
        {
            Http2FrameWriter.WriteRstStream(target.Buffer, Id, Http2ErrorCode.NoError);
            _request.Abort(new Http2StreamException(Id, Http2ErrorCode.NoError, "The response is complete, the rest of the request is not read."));
        }

        return length;
    }

    /// <summary>Gives up what was not sent, once nothing is sent any more.</summary>
    internal void AbandonResponse() =>
        _response.Abandon(AbortReason ?? new Http2StreamException(Id, Http2ErrorCode.Cancel, "The connection was closed."));

    /// <summary>Runs the handler away from the read loop and leaves nothing of the stream behind.</summary>
    internal async Task RunAsync(Func<Http2ServerStream, Task> handler)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await handler(this).ConfigureAwait(false);
            if (!IsCompleted)
                Reset(Http2ErrorCode.InternalError);
        }
        catch (Exception exception)
        {
            Reset(exception is OperationCanceledException ? Http2ErrorCode.Cancel : Http2ErrorCode.InternalError);
        }
        finally
        {
            _request.CompleteReader();
            await _response.Writer.CompleteAsync().ConfigureAwait(false);
        }
    }

    private sealed record Abortion(Http2StreamException Reason, bool ResetPeer);
}
