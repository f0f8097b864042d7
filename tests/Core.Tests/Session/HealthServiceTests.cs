using BuildKit.Grpc;
using BuildKit.Protocol.Health;
using BuildKit.Session;
using Xunit;

namespace BuildKit.Tests.Session;

public sealed class HealthServiceTests
{
    [Fact]
    public async Task The_session_is_serving()
    {
        var method = (ServerMethod<HealthCheckRequest, HealthCheckResponse>)HealthService.Definition.Methods["/grpc.health.v1.Health/Check"];
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await method.Unary!(new HealthCheckRequest(), null!)).Status);
    }
}
