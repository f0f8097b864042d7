using BuildKit.Grpc;
using BuildKit.Session;
using Wire = BuildKit.Protocol.Control;

namespace BuildKit.Builders;

/// <summary>The calls of <c>moby.buildkit.v1.Control</c> that are used. Failures are <see cref="RpcException"/>s.</summary>
internal sealed class ControlClient(CallInvoker invoker)
{
    private const string ServiceName = "moby.buildkit.v1.Control";

    private static readonly Method<Wire.InfoRequest, Wire.InfoResponse> InfoMethod =
        Method.Protobuf<Wire.InfoRequest, Wire.InfoResponse>(MethodType.Unary, ServiceName, "Info");

    private static readonly Method<Wire.ListWorkersRequest, Wire.ListWorkersResponse> ListWorkersMethod =
        Method.Protobuf<Wire.ListWorkersRequest, Wire.ListWorkersResponse>(MethodType.Unary, ServiceName, "ListWorkers");

    private static readonly Method<Wire.DiskUsageRequest, Wire.DiskUsageResponse> DiskUsageMethod =
        Method.Protobuf<Wire.DiskUsageRequest, Wire.DiskUsageResponse>(MethodType.Unary, ServiceName, "DiskUsage");

    private static readonly Method<Wire.SolveRequest, Wire.SolveResponse> SolveMethod =
        Method.Protobuf<Wire.SolveRequest, Wire.SolveResponse>(MethodType.Unary, ServiceName, "Solve");

    private static readonly Method<Wire.StatusRequest, Wire.StatusResponse> StatusMethod =
        Method.Protobuf<Wire.StatusRequest, Wire.StatusResponse>(MethodType.ServerStreaming, ServiceName, "Status");

    private static readonly Method<Wire.BuildHistoryRequest, Wire.BuildHistoryEvent> ListenBuildHistoryMethod =
        Method.Protobuf<Wire.BuildHistoryRequest, Wire.BuildHistoryEvent>(MethodType.ServerStreaming, ServiceName, "ListenBuildHistory");

    /// <summary>Asks for the daemon's version. A daemon that is too old for this call answers <see cref="StatusCode.Unimplemented"/>.</summary>
    public Task<Wire.InfoResponse> InfoAsync(CancellationToken cancellationToken) =>
        invoker.AsyncUnaryCall(InfoMethod, Options(cancellationToken), new Wire.InfoRequest()).ResponseAsync;

    /// <summary>Lists the daemon's workers with their platforms and labels.</summary>
    public Task<Wire.ListWorkersResponse> ListWorkersAsync(CancellationToken cancellationToken) =>
        invoker.AsyncUnaryCall(ListWorkersMethod, Options(cancellationToken), new Wire.ListWorkersRequest()).ResponseAsync;

    /// <summary>Lists the records of the build cache.</summary>
    public Task<Wire.DiskUsageResponse> DiskUsageAsync(Wire.DiskUsageRequest request, CancellationToken cancellationToken) =>
        invoker.AsyncUnaryCall(DiskUsageMethod, Options(cancellationToken), request).ResponseAsync;

    /// <summary>Builds. The call lasts as long as the build; cancelling it cancels the build.</summary>
    public Task<Wire.SolveResponse> SolveAsync(Wire.SolveRequest request, CancellationToken cancellationToken) =>
        invoker.AsyncUnaryCall(SolveMethod, Options(cancellationToken), request).ResponseAsync;

    /// <summary>Follows the build of a ref, which need not have begun: the daemon waits six seconds for it (moby/buildkit solver/jobs.go).</summary>
    public AsyncServerStreamingCall<Wire.StatusResponse> Status(string @ref, CancellationToken cancellationToken) =>
        invoker.AsyncServerStreamingCall(StatusMethod, Options(cancellationToken), new Wire.StatusRequest { Ref = @ref });

    /// <summary>Lists the daemon's records of builds. A daemon that keeps none answers <see cref="StatusCode.Unimplemented"/>.</summary>
    public AsyncServerStreamingCall<Wire.BuildHistoryEvent> ListenBuildHistory(Wire.BuildHistoryRequest request, CancellationToken cancellationToken) =>
        invoker.AsyncServerStreamingCall(ListenBuildHistoryMethod, Options(cancellationToken), request);

    /// <summary>Opens a session; see <see cref="ControlSessionStream.Open"/>.</summary>
    public ControlSessionStream OpenSession(SessionHandshake handshake, CancellationToken cancellationToken) =>
        ControlSessionStream.Open(invoker, handshake, cancellationToken);

    private static CallOptions Options(CancellationToken cancellationToken) => new(CancellationToken: cancellationToken);
}
