namespace BuildKit.Grpc;

/// <summary>
/// One call of a <see cref="GrpcChannel"/>, from its request's headers to its status. Whatever ends it first (trailers, a fault, the deadline, a token,
/// Dispose) decides the outcome; what comes later changes nothing.
/// </summary>
internal sealed class GrpcCall : IDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CallOutcome> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StreamingRequestContent? _streamingContent;
    private readonly DateTime? _deadline;
    private readonly CancellationTokenRegistration _callerRegistration;
    private readonly CancellationTokenRegistration _channelRegistration;
    private readonly Timer? _deadlineTimer;
    private CallOutcome? _outcome;
    private HttpResponseMessage? _response;

    /// <summary>Starts the call: the request is on its way when this returns.</summary>
    /// <param name="invoker">Sends the request.</param>
    /// <param name="request">The request with its body, without the headers that the call's options ask for.</param>
    /// <param name="options">Metadata, deadline and the caller's token.</param>
    /// <param name="maxReceiveMessageSize">The largest message accepted, in bytes.</param>
    /// <param name="channelClosed">Cancelled when the channel is disposed.</param>
    public GrpcCall(HttpMessageInvoker invoker, HttpRequestMessage request, CallOptions options, int maxReceiveMessageSize, CancellationToken channelClosed)
    {
        _streamingContent = request.Content as StreamingRequestContent;
        _deadline = options.Deadline switch
        {
            null => null,
            { Kind: DateTimeKind.Utc } deadline => deadline == DateTime.MaxValue ? null : deadline,
            _ => throw new ArgumentException("A deadline is a time in UTC.", nameof(options)),
        };
        RequestHeaderWriter.Write(request.Headers, options.Headers, _deadline, DateTime.UtcNow);

        if (_deadline is not null)
        {
            _deadlineTimer = new Timer(static call => ((GrpcCall)call!).CheckDeadline(), this, Timeout.Infinite, Timeout.Infinite);
            CheckDeadline();
        }

        _callerRegistration = options.CancellationToken.UnsafeRegister(static (call, token) => ((GrpcCall)call!).Cancel(token), this);
        _channelRegistration = channelClosed.UnsafeRegister(
            static call => ((GrpcCall)call!).Finish(new CallOutcome(StatusCode.Cancelled, "The channel was closed.")), this);
        if (HasEnded)
            ReleaseTriggers();
        Response = SendAsync(invoker, request, maxReceiveMessageSize);
    }

    /// <summary>The response's messages; null where the peer gave a status and nothing else. Never faults: a fault is the call's outcome.</summary>
    public Task<ResponseMessageReader?> Response { get; }

    public Task<Metadata> ResponseHeadersAsync => _headers.Task;

    /// <summary>Completes when the call has ended, however that was.</summary>
    public Task<CallOutcome> Finished => _finished.Task;

    /// <summary>Cancelled when the call has ended.</summary>
    public CancellationToken Ended => _ended.Token;

    public bool HasEnded => Volatile.Read(ref _outcome) is not null;

    public CallOutcome? Outcome => Volatile.Read(ref _outcome);

    public Status GetStatus() => (Outcome ?? throw new InvalidOperationException("The call has not ended yet.")).Status;

    public Metadata GetTrailers() => (Outcome ?? throw new InvalidOperationException("The call has not ended yet.")).Trailers;

    /// <summary>Ends the call because a caller's token was cancelled.</summary>
    public void Cancel(CancellationToken token) => Finish(CallOutcome.Cancelled(token));

    /// <summary>Cancels the call if it still runs.</summary>
    public void Dispose() => Finish(new CallOutcome(StatusCode.Cancelled, "The call was disposed."));

    /// <summary>Ends the call with a fault and gives the exception to throw, which is another one where the call had ended before.</summary>
    public Exception Fail(Exception fault)
    {
        Finish(Explain(fault));
        return Outcome!.ToException();
    }

    /// <summary>What a fault means for this call.</summary>
    public CallOutcome Explain(Exception fault) => AtDeadline(CallOutcome.FromFault(fault));

    /// <summary>Ends the call with the status in the response's trailers, after its last message.</summary>
    public CallOutcome FinishWithTrailers()
    {
        if (Volatile.Read(ref _response) is { } response)
        {
            var trailers = response.TrailingHeaders;
            Finish(AtDeadline(new CallOutcome(
                ResponseHeaderReader.ReadStatus(trailers) ?? new Status(StatusCode.Unknown, "The peer ended the call without a status."),
                ResponseHeaderReader.ReadMetadata(trailers))));
        }

        return Outcome!;
    }

    // The peer keeps the deadline too, and may reset the stream or answer CANCELLED just before the timer here fires.
    private CallOutcome AtDeadline(CallOutcome outcome) =>
        outcome.Status.StatusCode == StatusCode.Cancelled && _deadline <= DateTime.UtcNow ? DeadlineExceeded() : outcome;

    private static CallOutcome DeadlineExceeded() => new(StatusCode.DeadlineExceeded, "The deadline of the call has passed.");

    private async Task<ResponseMessageReader?> SendAsync(HttpMessageInvoker invoker, HttpRequestMessage request, int maxReceiveMessageSize)
    {
        try
        {
            var response = await invoker.SendAsync(request, Ended).ConfigureAwait(false);

            // A full fence: either this side sees the end of the call, or Finish sees the response.
            Interlocked.Exchange(ref _response, response);
            if (HasEnded)
            {
                response.Dispose();
                return null;
            }

            var headers = ResponseHeaderReader.ReadMetadata(response.Headers);
            if (ResponseHeaderReader.ReadStatus(response.Headers) is { } status)
            {
                _headers.TrySetResult(headers);
                Finish(AtDeadline(new CallOutcome(status, headers)));
                return null;
            }

            if (ResponseHeaderReader.Refuse(response) is { } refusal)
            {
                Finish(new CallOutcome(refusal, headers));
                return null;
            }

            var body = await response.Content.ReadAsStreamAsync(Ended).ConfigureAwait(false);
            _headers.TrySetResult(headers);
            return new ResponseMessageReader(body, maxReceiveMessageSize);
        }
        catch (Exception e)
        {
            Fail(e);
            return null;
        }
    }

    private void Finish(CallOutcome outcome)
    {
        if (Interlocked.CompareExchange(ref _outcome, outcome, null) is not null)
            return;
        ReleaseTriggers();

        // Whatever is under way ends now; what the peer has not ended itself is reset (RST_STREAM).
        _streamingContent?.Abort();
        _ended.Cancel();
        Volatile.Read(ref _response)?.Dispose();
        _finished.TrySetResult(outcome);
        if (!_headers.Task.IsCompleted && _headers.TrySetException(outcome.ToException()))
            _ = _headers.Task.Exception; // nobody has to look at it
    }

    private void ReleaseTriggers()
    {
        // Unregister does not wait for a callback that runs, which may be the one that ends the call.
        _callerRegistration.Unregister();
        _channelRegistration.Unregister();
        _deadlineTimer?.Dispose();
    }

    private void CheckDeadline()
    {
        var left = _deadline!.Value - DateTime.UtcNow;
        if (left <= TimeSpan.Zero)
        {
            Finish(DeadlineExceeded());
            return;
        }

        try
        {
            // A timer takes less than 50 days, and may fire a moment early.
            _deadlineTimer!.Change((long)Math.Min(Math.Ceiling(left.TotalMilliseconds), int.MaxValue), Timeout.Infinite);
        }
        catch (ObjectDisposedException) when (HasEnded)
        {
            // The call ended meanwhile.
        }
    }
}
