using BuildKit.Http2;
using BuildKit.Http2.Hpack;

namespace BuildKit.Grpc;

/// <summary>Serves gRPC calls (grpc/grpc doc/PROTOCOL-HTTP2.md) that the peer makes on one connection. The stream belongs to the server and is closed with it.</summary>
internal sealed class GrpcServer : IAsyncDisposable
{
    private static readonly HeaderField[] MethodNotAllowed = [new(":status", "405")];
    private static readonly HeaderField[] UnsupportedMediaType = [new(":status", "415")];

    private readonly Dictionary<string, IServerMethod> _methods = new(StringComparer.Ordinal);
    private readonly GrpcServerOptions _options;
    private readonly Http2ServerConnection _connection;

    /// <param name="stream">Carries the bytes of the HTTP/2 connection on which the peer is the client: an upgraded socket, or a tunnel.</param>
    /// <param name="services">What is served; a method may be in one of them only.</param>
    /// <param name="options">The limits, or null for the defaults.</param>
    public GrpcServer(Stream stream, IEnumerable<ServerServiceDefinition> services, GrpcServerOptions? options = null)
    {
        _options = options ?? new GrpcServerOptions();
        foreach (var (path, method) in services.SelectMany(static service => service.Methods))
        {
            if (!_methods.TryAdd(path, method))
                throw new ArgumentException($"{path} is served twice.", nameof(services));
        }

        _connection = new Http2ServerConnection(stream, _options.Http2, ServeAsync);
    }

    /// <summary>The paths served, each <c>/service/method</c>.</summary>
    public IReadOnlyCollection<string> MethodNames => _methods.Keys;

    /// <inheritdoc cref="Http2ServerConnection.RunAsync"/>
    public Task RunAsync(CancellationToken cancellationToken) => _connection.RunAsync(cancellationToken);

    /// <inheritdoc cref="Http2ServerConnection.DisposeAsync"/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task ServeAsync(Http2ServerStream stream)
    {
        // A peer that speaks no gRPC is answered in the language of HTTP.
        var refusal = stream.Headers.Method != "POST" ? MethodNotAllowed
            : stream.Headers.GetValue("content-type")?.StartsWith("application/grpc", StringComparison.Ordinal) != true ? UnsupportedMediaType
            : null;
        if (refusal is not null)
        {
            stream.StartResponse(refusal);
            stream.CompleteResponse();
            return;
        }

        using var call = new ServerCall(stream, _options);
        await call.RunAsync(_methods.GetValueOrDefault(stream.Headers.Path)).ConfigureAwait(false);
    }
}
