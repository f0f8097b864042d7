namespace BuildKit.Grpc;

/// <summary>What a call may take along: headers, an absolute deadline (sent as <c>grpc-timeout</c>), and a token whose cancellation resets the stream.</summary>
internal readonly record struct CallOptions(Metadata? Headers = null, DateTime? Deadline = null, CancellationToken CancellationToken = default);

/// <summary>Makes calls on a channel. Every failure is an <see cref="RpcException"/>; cancellation by the caller's token is an <see cref="OperationCanceledException"/>.</summary>
internal abstract class CallInvoker
{
    public abstract AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallOptions options, TRequest request);

    public abstract AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallOptions options, TRequest request);

    public abstract AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallOptions options);

    public abstract AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallOptions options);
}

/// <summary>What every call has: its headers, its status and trailers once it ended, and Dispose, which cancels what still runs.</summary>
internal abstract class AsyncCall(Task<Metadata> responseHeaders, Func<Status> getStatus, Func<Metadata> getTrailers, Action dispose) : IDisposable
{
    public Task<Metadata> ResponseHeadersAsync { get; } = responseHeaders;

    public Status GetStatus() => getStatus();

    public Metadata GetTrailers() => getTrailers();

    public void Dispose() => dispose();
}

internal sealed class AsyncUnaryCall<TResponse>(
    Task<TResponse> response, Task<Metadata> responseHeaders, Func<Status> getStatus, Func<Metadata> getTrailers, Action dispose)
    : AsyncCall(responseHeaders, getStatus, getTrailers, dispose)
{
    public Task<TResponse> ResponseAsync { get; } = response;

    public System.Runtime.CompilerServices.TaskAwaiter<TResponse> GetAwaiter() => ResponseAsync.GetAwaiter();
}

internal sealed class AsyncServerStreamingCall<TResponse>(
    IAsyncStreamReader<TResponse> responseStream, Task<Metadata> responseHeaders, Func<Status> getStatus, Func<Metadata> getTrailers, Action dispose)
    : AsyncCall(responseHeaders, getStatus, getTrailers, dispose)
{
    public IAsyncStreamReader<TResponse> ResponseStream { get; } = responseStream;
}

internal sealed class AsyncClientStreamingCall<TRequest, TResponse>(
    IClientStreamWriter<TRequest> requestStream, Task<TResponse> response, Task<Metadata> responseHeaders, Func<Status> getStatus, Func<Metadata> getTrailers, Action dispose)
    : AsyncCall(responseHeaders, getStatus, getTrailers, dispose)
{
    public IClientStreamWriter<TRequest> RequestStream { get; } = requestStream;

    public Task<TResponse> ResponseAsync { get; } = response;
}

internal sealed class AsyncDuplexStreamingCall<TRequest, TResponse>(
    IClientStreamWriter<TRequest> requestStream, IAsyncStreamReader<TResponse> responseStream, Task<Metadata> responseHeaders, Func<Status> getStatus,
    Func<Metadata> getTrailers, Action dispose)
    : AsyncCall(responseHeaders, getStatus, getTrailers, dispose)
{
    public IClientStreamWriter<TRequest> RequestStream { get; } = requestStream;

    public IAsyncStreamReader<TResponse> ResponseStream { get; } = responseStream;
}
