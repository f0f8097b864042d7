using BuildKit.Http2;

namespace BuildKit.Grpc;

/// <summary>What a <see cref="GrpcServer"/> accepts, and whom it tells of failures.</summary>
internal sealed record GrpcServerOptions
{
    /// <summary>The largest message received, in octets; a larger one ends its call with <see cref="StatusCode.ResourceExhausted"/>. Upstream allows 16 MiB.</summary>
    public int MaxReceiveMessageSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>The limits of the connection below.</summary>
    public Http2ServerOptions Http2 { get; init; } = new();

    /// <summary>
    /// Told of each exception that ended a call: its path and the exception, an <see cref="RpcException"/> that a handler threw on purpose included. The peer
    /// learns only the status. Not called when the peer cancelled the call or went away. It must not throw.
    /// </summary>
    public Action<string, Exception>? CallFailed { get; init; }
}
