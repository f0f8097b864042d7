namespace BuildKit.Grpc;

/// <summary>A method and its handler, without its message types, so that a dispatcher can hold many in one table.</summary>
internal interface IServerMethod
{
    string FullName { get; }

    /// <summary>Gives the typed method to a visitor that knows how to read and write messages on a stream.</summary>
    Task DispatchAsync(IServerMethodVisitor visitor);
}

internal interface IServerMethodVisitor
{
    Task VisitAsync<TRequest, TResponse>(ServerMethod<TRequest, TResponse> method);
}

/// <summary>Exactly one of the four handlers is set, the one that fits <see cref="Method{TRequest,TResponse}.Type"/>.</summary>
internal sealed class ServerMethod<TRequest, TResponse>(Method<TRequest, TResponse> method) : IServerMethod
{
    public Method<TRequest, TResponse> Method { get; } = method;

    public string FullName => Method.FullName;

    public UnaryServerMethod<TRequest, TResponse>? Unary { get; init; }

    public ClientStreamingServerMethod<TRequest, TResponse>? ClientStreaming { get; init; }

    public ServerStreamingServerMethod<TRequest, TResponse>? ServerStreaming { get; init; }

    public DuplexStreamingServerMethod<TRequest, TResponse>? DuplexStreaming { get; init; }

    public Task DispatchAsync(IServerMethodVisitor visitor) => visitor.VisitAsync(this);
}
