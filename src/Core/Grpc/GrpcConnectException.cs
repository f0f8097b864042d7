namespace BuildKit.Grpc;

/// <summary>
/// Carries what a channel's connect function threw through SocketsHttpHandler, which wraps it as it likes; <see cref="CallOutcome"/> takes it out again.
/// </summary>
internal sealed class GrpcConnectException(Exception cause) : IOException(cause.Message, cause);
