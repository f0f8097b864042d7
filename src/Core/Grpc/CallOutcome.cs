namespace BuildKit.Grpc;

/// <summary>How a client's call ended.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Trailers">What the peer sent after its messages; empty where it sent nothing.</param>
/// <param name="Cause">The fault on this side of the wire, or null where the peer gave the status.</param>
/// <param name="CancelledBy">The caller's token that ended it, if one did.</param>
internal sealed record CallOutcome(Status Status, Metadata Trailers, Exception? Cause = null, CancellationToken CancelledBy = default)
{
    public CallOutcome(StatusCode code, string detail, Exception? cause = null)
        : this(new Status(code, detail), [], cause)
    {
    }

    public static CallOutcome Cancelled(CancellationToken by) => new(new Status(StatusCode.Cancelled, "The call was cancelled."), [], null, by);

    /// <summary>What a fault of the transport, or of a message, means as the end of a call.</summary>
    public static CallOutcome FromFault(Exception fault)
    {
        for (var current = fault; current is not null; current = current.InnerException)
            switch (current)
            {
                case RpcException rpc:
                    return new CallOutcome(rpc.Status, rpc.Trailers, rpc.InnerException);
                case GrpcConnectException { InnerException: { } cause }:
                    return new CallOutcome(StatusCode.Unavailable, cause.Message, cause);
                case HttpProtocolException protocol:
                    return new CallOutcome(FromHttp2ErrorCode(protocol.ErrorCode), protocol.Message, fault);
            }

        return fault switch
        {
            IOException or HttpRequestException or ObjectDisposedException =>
                new CallOutcome(StatusCode.Unavailable, $"The connection broke: {fault.GetBaseException().Message}", fault),
            OperationCanceledException => new CallOutcome(StatusCode.Cancelled, "The peer stopped reading the call's requests.", fault),
            _ => new CallOutcome(StatusCode.Internal, fault.Message, fault),
        };
    }

    public Exception ToException() =>
        CancelledBy.IsCancellationRequested
            ? new OperationCanceledException(Status.Detail, Cause, CancelledBy)
            : new RpcException(Status, Trailers, Cause);

    // grpc/grpc doc/PROTOCOL-HTTP2.md, "Errors"; the numbers are RFC 9113 section 7's.
    private static StatusCode FromHttp2ErrorCode(long code) => code switch
    {
        0x7 => StatusCode.Unavailable, // REFUSED_STREAM
        0x8 => StatusCode.Cancelled, // CANCEL
        0xb => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        0xc => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        _ => StatusCode.Internal,
    };
}
