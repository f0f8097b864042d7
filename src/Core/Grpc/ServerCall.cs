using BuildKit.Http2;
using BuildKit.Http2.Hpack;

namespace BuildKit.Grpc;

/// <summary>One call: it reads the request's headers, runs the handler that fits, and ends the response with the status that comes out.</summary>
internal sealed class ServerCall(Http2ServerStream stream, GrpcServerOptions options) : ServerCallContext, IServerMethodVisitor, IDisposable
{
    private CancellationTokenSource? _deadlineTimer;
    private CancellationTokenSource? _cancellation;
    private Metadata _requestHeaders = [];
    private DateTime _deadline = DateTime.MaxValue;

    public override string Method => stream.Headers.Path;

    public override Metadata RequestHeaders => _requestHeaders;

    public override DateTime Deadline => _deadline;

    public override CancellationToken CancellationToken => _cancellation?.Token ?? stream.Aborted;

    /// <summary>Runs the call to its end; it does not throw for what a handler or the peer does.</summary>
    /// <param name="method">What serves the call's path, or null.</param>
    public async Task RunAsync(IServerMethod? method)
    {
        Status status;
        Metadata? failureTrailers = null;
        try
        {
            _requestHeaders = ServerHeaders.ToMetadata(stream.Headers.Fields);
            StartDeadline();
            if (method is null)
                throw new RpcException(new Status(StatusCode.Unimplemented, $"The method {Method} is not served here."));
            await method.DispatchAsync(this).ConfigureAwait(false);
            status = Status.Success;
        }
        catch (Exception exception)
        {
            status = ToStatus(exception);
            failureTrailers = (exception as RpcException)?.Trailers;
            if (stream.AbortReason is null)
                options.CallFailed?.Invoke(Method, exception);
        }

        if (stream.AbortReason is null)
            End(status, failureTrailers);
    }

    public override async Task WriteResponseHeadersAsync(Metadata responseHeaders)
    {
        stream.StartResponse(ServerHeaders.ForResponse(responseHeaders));
        await stream.FlushAsync(CancellationToken).ConfigureAwait(false);
    }

    public async Task VisitAsync<TRequest, TResponse>(ServerMethod<TRequest, TResponse> method)
    {
        var reader = new ServerMessageReader<TRequest>(stream, method.Method.RequestMarshaller, options.MaxReceiveMessageSize, CancellationToken);
        var writer = new ServerMessageWriter<TResponse>(stream, method.Method.ResponseMarshaller, CancellationToken);
        if (method.Unary is { } unary)
        {
            var request = await reader.ReadSingleAsync().ConfigureAwait(false);
            writer.Write(await unary(request, this).ConfigureAwait(false));
        }
        else if (method.ClientStreaming is { } clientStreaming)
        {
            writer.Write(await clientStreaming(reader, this).ConfigureAwait(false));
        }
        else if (method.ServerStreaming is { } serverStreaming)
        {
            var request = await reader.ReadSingleAsync().ConfigureAwait(false);
            await serverStreaming(request, writer, this).ConfigureAwait(false);
        }
        else if (method.DuplexStreaming is { } duplexStreaming)
        {
            await duplexStreaming(reader, writer, this).ConfigureAwait(false);
        }
        else
        {
            throw new InvalidOperationException($"{method.FullName} has no handler.");
        }
    }

    public void Dispose()
    {
        _cancellation?.Dispose();
        _deadlineTimer?.Dispose();
    }

    private void StartDeadline()
    {
        if (stream.Headers.GetValue(ServerHeaders.Timeout) is not { } text)
            return;
        var timeout = ServerHeaders.ParseTimeout(text);
        _deadline = DateTime.UtcNow + timeout;
        _deadlineTimer = new CancellationTokenSource(timeout);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(stream.Aborted, _deadlineTimer.Token);
    }

    // What the peer may know of a failure: words that were meant for it or for a user, never those of a foreign exception, which may hold anything.
    private Status ToStatus(Exception exception) => exception switch
    {
        RpcException rpc => rpc.Status,
        OperationCanceledException when _deadlineTimer is { IsCancellationRequested: true } =>
            new Status(StatusCode.DeadlineExceeded, $"The deadline of {Method} passed."),
        OperationCanceledException => new Status(StatusCode.Cancelled, $"{Method} was cancelled."),
        BuildKitException buildKit => new Status(StatusCode.Unknown, buildKit.Message),
        _ => new Status(StatusCode.Unknown, $"{Method} failed with {exception.GetType().Name}."),
    };

    private void End(Status status, Metadata? failureTrailers)
    {
        IReadOnlyList<HeaderField> trailers;
        try
        {
            trailers = ServerHeaders.ForStatus(status, ResponseTrailers, failureTrailers, isOnly: !stream.HasStarted);
        }
        catch (ArgumentException exception)
        {
            options.CallFailed?.Invoke(Method, exception);
            trailers = ServerHeaders.ForStatus(new Status(StatusCode.Internal, exception.Message), [], null, isOnly: !stream.HasStarted);
        }

        if (stream.HasStarted)
        {
            stream.CompleteResponse(trailers);
        }
        else
        {
            stream.StartResponse(trailers);
            stream.CompleteResponse();
        }
    }
}
