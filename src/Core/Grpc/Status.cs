namespace BuildKit.Grpc;

/// <summary>How a call ended: the code and the peer's own words.</summary>
internal readonly record struct Status(StatusCode StatusCode, string Detail)
{
    public static readonly Status Success = new(StatusCode.OK, string.Empty);
}
