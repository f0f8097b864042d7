namespace BuildKit.Builders;

/// <summary>How gRPC gets to the daemon.</summary>
public enum GrpcRoute
{
    /// <summary>HTTP/2 from the first byte: buildkitd, and Docker Engine from version 29.</summary>
    Direct,

    /// <summary><c>POST /grpc</c> and <c>POST /session</c> with <c>Upgrade: h2c</c>: Docker Engine up to version 28.</summary>
    Upgrade,
}
