using BuildKit.Builders;
using BuildKit.Solve.Gateway;
using BuildKit.Tests.Builders;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Builds that real daemons hold open for us.</summary>
public sealed class GatewayBuildTests
{
    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, true)]
    [InlineData(EngineKind.Docker28Containerd, true)]
    [InlineData(EngineKind.Docker26, true)]
    [InlineData(EngineKind.BuildkitdUnix, true)]
    [InlineData(EngineKind.BuildkitdTls, true)]
    [InlineData(EngineKind.Docker20, false)]
    public async Task TheDaemonTellsWhatItCanDo(EngineKind kind, bool isRecent)
    {
        await using var connection = await BuildKitConnection.ConnectAsync(TestEndpoints.For(await TestEngines.GetAsync(kind)));
        var caps = await GatewayCaps.GetAsync(connection, default).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.True(caps.Supports("source.image"));
        Assert.True(caps.Supports("return"));
        Assert.Equal(isRecent, caps.Supports("exporter.multiple"));
        Assert.Equal(isRecent, caps.Supports("exporter.image.attestations"));
        Assert.False(caps.Supports("no.such.capability"));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker20)]
    public async Task WorkThatFailsEndsTheBuild(EngineKind kind)
    {
        await using var connection = await BuildKitConnection.ConnectAsync(TestEndpoints.For(await TestEngines.GetAsync(kind)));
        GatewayClient? left = null;
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => GatewayBuild.RunAsync<int>(connection, async (gateway, token) =>
        {
            await gateway.PingAsync(token);
            left = gateway;
            throw new InvalidTimeZoneException();
        }, default).WaitAsync(TimeSpan.FromMinutes(1)));
        await AssertClosedAsync(left!);
    }

    [SkippableFact]
    public async Task CancellationEndsTheBuild()
    {
        await using var connection = await BuildKitConnection.ConnectAsync(TestEndpoints.For(await TestEngines.GetAsync(EngineKind.Docker28Graphdriver)));
        using var stop = new CancellationTokenSource();
        GatewayClient? left = null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => GatewayBuild.RunAsync<int>(connection, async (gateway, token) =>
        {
            await gateway.PingAsync(token);
            left = gateway;
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return 0;
        }, stop.Token).WaitAsync(TimeSpan.FromMinutes(1)));
        await AssertClosedAsync(left!);
    }

    [SkippableFact]
    public async Task ADaemonThatGoesIsAConnectionLost()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdUnix);
        await using var connection = await BuildKitConnection.ConnectAsync(TestEndpoints.For(engine));
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => GatewayBuild.RunAsync(connection, async (gateway, token) =>
        {
            await gateway.PingAsync(token);
            await engine.KillAsync();
            return await gateway.PingAsync(token);
        }, default).WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal("BuildKit.ConnectionLost", failure.ErrorId);
    }

    // The daemon looks for the build for three seconds. One that is still open would answer at once.
    private static Task AssertClosedAsync(GatewayClient gateway) => Poll.UntilAsync(async () =>
    {
        try
        {
            await gateway.PingAsync(default).WaitAsync(Poll.Patience);
            return false;
        }
        catch (BuildKit.Grpc.RpcException)
        {
            return true;
        }
    });
}
