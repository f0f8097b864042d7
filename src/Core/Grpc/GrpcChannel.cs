namespace BuildKit.Grpc;

/// <summary>
/// A gRPC client over SocketsHttpHandler: HTTP/2 with prior knowledge on whatever stream the connect function returns. It connects with the first call,
/// and again after the connection was lost.
/// </summary>
internal sealed class GrpcChannel : CallInvoker, IAsyncDisposable
{
    // grpc-go's own limit. The details of a failed build hold the Dockerfile and the vertex, and travel in the trailers.
    private const int MaxResponseHeadersKilobytes = 16 << 10;

    private readonly Func<CancellationToken, ValueTask<Stream>> _connect;
    private readonly GrpcChannelOptions _options;
    private readonly HttpMessageInvoker _invoker;
    private readonly CancellationTokenSource _closed = new();
    private readonly HashSet<GrpcConnectionStream> _connections = [];

    /// <summary>Creates a channel; nothing is sent yet.</summary>
    /// <param name="connect">
    /// Opens a connection that is ready for the HTTP/2 preface: TLS and upgrades are behind it. What it throws is the
    /// <see cref="Exception.InnerException"/> of the <see cref="RpcException"/> that the call ends with. It keeps its own time limit.
    /// </param>
    /// <param name="options">Sizes and times; null for the defaults.</param>
    public GrpcChannel(Func<CancellationToken, ValueTask<Stream>> connect, GrpcChannelOptions? options = null)
    {
        _connect = connect;
        _options = options ?? new GrpcChannelOptions();
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => ConnectAsync(cancellationToken),
            EnableMultipleHttp2Connections = _options.EnableMultipleHttp2Connections,
            InitialHttp2StreamWindowSize = _options.InitialHttp2StreamWindowSize,
            PooledConnectionIdleTimeout = _options.PooledConnectionIdleTimeout,
#pragma warning disable CA2262 // It is meant: 16 MiB, in the kilobytes that this property takes.
            MaxResponseHeadersLength = MaxResponseHeadersKilobytes,
#pragma warning restore CA2262
            // grpc-go ends connections that ping more often than every five minutes; a dead connection is the transport's to notice.
            KeepAlivePingDelay = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            // An activity of the caller is not the daemon's business.
            ActivityHeadersPropagator = null,
        });
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, TRequest request)
    {
        var call = Start(method, options, UnaryContent(method, request));
        var response = new ClientStreamReader<TResponse>(call, method.ResponseMarshaller).ReadSingleAsync();
        return new AsyncUnaryCall<TResponse>(response, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallOptions options, TRequest request)
    {
        var call = Start(method, options, UnaryContent(method, request));
        var reader = new ClientStreamReader<TResponse>(call, method.ResponseMarshaller);
        return new AsyncServerStreamingCall<TResponse>(reader, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallOptions options)
    {
        var content = new StreamingRequestContent();
        var call = Start(method, options, content);
        var writer = new ClientStreamWriter<TRequest>(call, content, method.RequestMarshaller, _options.MaxSendMessageSize);
        var response = new ClientStreamReader<TResponse>(call, method.ResponseMarshaller).ReadSingleAsync();
        return new AsyncClientStreamingCall<TRequest, TResponse>(writer, response, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallOptions options)
    {
        var content = new StreamingRequestContent();
        var call = Start(method, options, content);
        var writer = new ClientStreamWriter<TRequest>(call, content, method.RequestMarshaller, _options.MaxSendMessageSize);
        var reader = new ClientStreamReader<TResponse>(call, method.ResponseMarshaller);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(writer, reader, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    /// <summary>Ends the calls that still run with <see cref="StatusCode.Cancelled"/> and closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closed.IsCancellationRequested)
            return;
        await _closed.CancelAsync().ConfigureAwait(false);
        _invoker.Dispose();

        // The handler leaves a connection open until its last stream has ended on both sides; here it ends now.
        GrpcConnectionStream[] connections;
        lock (_connections)
            connections = [.. _connections];
        foreach (var connection in connections)
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    private UnaryRequestContent<TRequest> UnaryContent<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request) =>
        new(request, method.RequestMarshaller, _options.MaxSendMessageSize);

    private GrpcCall Start<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, HttpContent content)
    {
        ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, this);
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_options.Address, method.FullName))
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        return new GrpcCall(_invoker, request, options, _options.MaxReceiveMessageSize, _closed.Token);
    }

    private async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closed.Token);
        Stream transport;
        try
        {
            transport = await _connect(either.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!either.IsCancellationRequested)
        {
            throw new GrpcConnectException(e);
        }

        var connection = new GrpcConnectionStream(transport, Forget);
        lock (_connections)
            _connections.Add(connection);
        if (_closed.IsCancellationRequested)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw new OperationCanceledException(_closed.Token);
        }

        return connection;
    }

    private void Forget(GrpcConnectionStream connection)
    {
        lock (_connections)
            _connections.Remove(connection);
    }
}
