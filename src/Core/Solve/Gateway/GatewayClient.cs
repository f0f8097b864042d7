using BuildKit.Grpc;
using BuildKit.Protocol.Gateway;

namespace BuildKit.Solve.Gateway;

/// <summary>
/// The calls of <c>moby.buildkit.v1.frontend.LLBBridge</c> that are used, on behalf of one open build (moby/buildkit client/build.go).
/// The daemon waits three seconds for the build to open. Failures are <see cref="RpcException"/>s.
/// </summary>
/// <param name="invoker">Makes the calls.</param>
/// <param name="solveRef">The build's reference.</param>
internal sealed class GatewayClient(CallInvoker invoker, string solveRef)
{
    private const string ServiceName = "moby.buildkit.v1.frontend.LLBBridge";

    private static readonly Method<PingRequest, PongResponse> PingMethod = Method.Protobuf<PingRequest, PongResponse>(MethodType.Unary, ServiceName, "Ping");

    private static readonly Method<Protocol.Gateway.SolveRequest, SolveResponse> SolveMethod =
        Method.Protobuf<Protocol.Gateway.SolveRequest, SolveResponse>(MethodType.Unary, ServiceName, "Solve");

    private static readonly Method<ReturnRequest, ReturnResponse> ReturnMethod =
        Method.Protobuf<ReturnRequest, ReturnResponse>(MethodType.Unary, ServiceName, "Return");

    /// <summary>Asks for the daemon's capabilities.</summary>
    public Task<PongResponse> PingAsync(CancellationToken cancellationToken) =>
        invoker.AsyncUnaryCall(PingMethod, Options(cancellationToken), new PingRequest()).ResponseAsync;

    /// <summary>Has a frontend work; its result, metadata and all, comes back here.</summary>
    public Task<SolveResponse> SolveAsync(Protocol.Gateway.SolveRequest request, CancellationToken cancellationToken) =>
        invoker.AsyncUnaryCall(SolveMethod, Options(cancellationToken), request).ResponseAsync;

    /// <summary>Ends the build well, with nothing to export.</summary>
    public Task ReturnAsync(CancellationToken cancellationToken) =>
        invoker.AsyncUnaryCall(ReturnMethod, Options(cancellationToken), new ReturnRequest { Result = new Result() }).ResponseAsync;

    private CallOptions Options(CancellationToken cancellationToken) =>
        new(Headers: new Metadata { { "buildkit-controlapi-buildid", solveRef } }, CancellationToken: cancellationToken);
}
