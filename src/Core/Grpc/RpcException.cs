namespace BuildKit.Grpc;

/// <summary>A call that did not end with <see cref="StatusCode.OK"/>. The trailers hold <c>grpc-status-details-bin</c> where the peer sent it.</summary>
internal sealed class RpcException : Exception
{
    public RpcException(Status status, Metadata? trailers = null, Exception? innerException = null)
        : base($"{status.StatusCode}: {status.Detail}", innerException)
    {
        Status = status;
        Trailers = trailers ?? [];
    }

    public Status Status { get; }

    public StatusCode StatusCode => Status.StatusCode;

    // Not public: Get-Error would print every octet of the details.
    internal Metadata Trailers { get; }
}
