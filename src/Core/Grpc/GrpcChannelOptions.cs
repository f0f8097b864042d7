namespace BuildKit.Grpc;

/// <summary>How a <see cref="GrpcChannel"/> behaves; the defaults fit a BuildKit daemon.</summary>
internal sealed record GrpcChannelOptions
{
    /// <summary>
    /// Gives <c>:scheme</c> and <c>:authority</c>. Nothing is resolved or dialled by it: the bytes travel wherever the channel's connect function leads.
    /// </summary>
    public Uri Address { get; init; } = new("http://buildkit");

    /// <summary>
    /// The largest message accepted, in bytes; a larger one ends its call with <see cref="StatusCode.ResourceExhausted"/>. 16 MiB, which is what upstream's
    /// client accepts (containerd defaults.DefaultMaxRecvMsgSize).
    /// </summary>
    public int MaxReceiveMessageSize { get; init; } = 16 << 20;

    /// <summary>The largest message sent, in bytes; null leaves the judgement to the peer, which accepts 16 MiB as a rule.</summary>
    public int? MaxSendMessageSize { get; init; }

    /// <summary>
    /// How many bytes a peer may send ahead of the reader on a new stream; SocketsHttpHandler lets it grow to 16 MiB where the round trip is long. It bounds
    /// what an export can pile up in memory when the disk is slower than the daemon.
    /// </summary>
    public int InitialHttp2StreamWindowSize { get; init; } = 1 << 20;

    /// <summary>
    /// Whether calls beyond the peer's limit of concurrent streams open a second connection instead of waiting; a connection may be a process, so not by
    /// default.
    /// </summary>
    public bool EnableMultipleHttp2Connections { get; init; }

    /// <summary>How long an unused connection stays open. Long, because a shell's next build should find it warm.</summary>
    public TimeSpan PooledConnectionIdleTimeout { get; init; } = TimeSpan.FromMinutes(10);
}
