namespace BuildKit.Grpc;

/// <summary>What a handler knows of the call it serves.</summary>
internal abstract class ServerCallContext
{
    /// <summary>The <c>:path</c> of the call.</summary>
    public abstract string Method { get; }

    public abstract Metadata RequestHeaders { get; }

    /// <summary>Sent after the response with the status.</summary>
    public Metadata ResponseTrailers { get; } = [];

    public abstract DateTime Deadline { get; }

    /// <summary>Cancelled when the peer resets the stream, the deadline passes or the connection ends.</summary>
    public abstract CancellationToken CancellationToken { get; }

    /// <summary>Sends the response headers now instead of with the first message.</summary>
    public abstract Task WriteResponseHeadersAsync(Metadata responseHeaders);
}

internal delegate Task<TResponse> UnaryServerMethod<TRequest, TResponse>(TRequest request, ServerCallContext context);

internal delegate Task<TResponse> ClientStreamingServerMethod<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream, ServerCallContext context);

internal delegate Task ServerStreamingServerMethod<TRequest, TResponse>(
    TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context);

internal delegate Task DuplexStreamingServerMethod<TRequest, TResponse>(
    IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context);

/// <summary>The methods a server offers, by path. A handler ends a call with another status by throwing <see cref="RpcException"/>.</summary>
internal sealed class ServerServiceDefinition
{
    private readonly Dictionary<string, IServerMethod> _methods = new(StringComparer.Ordinal);

    /// <summary>The paths served, each <c>/service/method</c>.</summary>
    public IReadOnlyCollection<string> MethodNames => _methods.Keys;

    public IReadOnlyDictionary<string, IServerMethod> Methods => _methods;

    public ServerServiceDefinition AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler) =>
        Add(new ServerMethod<TRequest, TResponse>(method) { Unary = handler });

    public ServerServiceDefinition AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse> handler) =>
        Add(new ServerMethod<TRequest, TResponse>(method) { ClientStreaming = handler });

    public ServerServiceDefinition AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler) =>
        Add(new ServerMethod<TRequest, TResponse>(method) { ServerStreaming = handler });

    public ServerServiceDefinition AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler) =>
        Add(new ServerMethod<TRequest, TResponse>(method) { DuplexStreaming = handler });

    private ServerServiceDefinition Add<TRequest, TResponse>(ServerMethod<TRequest, TResponse> serverMethod)
    {
        if (!_methods.TryAdd(serverMethod.Method.FullName, serverMethod))
            throw new ArgumentException($"{serverMethod.Method.FullName} is served twice.");
        return this;
    }
}
