using BuildKit.Grpc;
using BuildKit.Protocol.Health;

namespace BuildKit.Session;

/// <summary><c>grpc.health.v1.Health</c>: the daemon asks every few seconds whether the session is alive, and closes it when there is no answer (buildkit session/grpc.go).</summary>
internal static class HealthService
{
    private static readonly Method<HealthCheckRequest, HealthCheckResponse> CheckMethod =
        Method.Protobuf<HealthCheckRequest, HealthCheckResponse>(MethodType.Unary, "grpc.health.v1.Health", "Check");

    public static ServerServiceDefinition Definition { get; } = new ServerServiceDefinition().AddMethod(
        CheckMethod,
        static (HealthCheckRequest _, ServerCallContext _) => Task.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving }));
}
