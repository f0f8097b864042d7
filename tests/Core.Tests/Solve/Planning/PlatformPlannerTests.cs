using System.Runtime.InteropServices;
using BuildKit.Solve.Exporters;
using Xunit;

namespace BuildKit.Tests.Solve.Planning;

public sealed class PlatformPlannerTests
{
    // The rows are those of containerd/platforms' own tests, as far as docker users write them.
    [Theory]
    [InlineData("linux/amd64", "linux/amd64")]
    [InlineData("Linux/AMD64", "linux/amd64")]
    [InlineData("linux/x86_64", "linux/amd64")]
    [InlineData("linux/x86-64", "linux/amd64")]
    [InlineData("linux/amd64/v1", "linux/amd64")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3")]
    [InlineData("linux/i386", "linux/386")]
    [InlineData("arm64", "linux/arm64")]
    [InlineData("aarch64", "linux/arm64")]
    [InlineData("linux/arm64/v8", "linux/arm64")]
    [InlineData("linux/arm64/9", "linux/arm64/v9")]
    [InlineData("arm", "linux/arm/v7")]
    [InlineData("armhf", "linux/arm/v7")]
    [InlineData("armel", "linux/arm/v6")]
    [InlineData("linux/arm/6", "linux/arm/v6")]
    [InlineData("linux/armel", "linux/arm/v6")]
    [InlineData("macos/arm64", "darwin/arm64")]
    [InlineData("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64")]
    [InlineData("s390x", "linux/s390x")]
    [InlineData("linux/amd64,linux/arm64", "linux/amd64,linux/arm64")]
    [InlineData("linux/amd64, amd64", "linux/amd64")]
    public async Task PlatformIsNormalised(string written, string onTheWire) =>
        Assert.Equal(onTheWire, await (Plans.Request with { Platforms = [written] }).AttributeAsync("platform"));

    [Theory]
    [InlineData("local")]
    [InlineData("linux")]
    public async Task PlatformOfThisComputerHasItsProcessor(string written)
    {
        var own = RuntimeInformation.OSArchitecture == Architecture.X64 ? "linux/amd64" : "linux/" + RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant();
        Assert.Equal(own, await (Plans.Request with { Platforms = [written] }).AttributeAsync("platform"));
    }

    [Theory]
    [InlineData("linux/amd64/v1/x")]
    [InlineData("nonsense")]
    [InlineData("linux/*")]
    [InlineData("linux/")]
    [InlineData("(1)/amd64")]
    public Task PlatformThatIsNoneIsRefused(string written) => (Plans.Request with { Platforms = [written] }).RefusesAsync("BuildKit.InvalidPlatform");

    [Fact]
    public async Task PlatformComesFromTheVariableUnlessItIsGiven()
    {
        var daemon = Plans.Daemon(DaemonStore.Buildkitd, ("DOCKER_DEFAULT_PLATFORM", "aarch64"));
        Assert.Equal("linux/arm64", await Plans.Request.AttributeAsync("platform", daemon));
        Assert.Equal("linux/386", await (Plans.Request with { Platforms = ["386"] }).AttributeAsync("platform", daemon));
        Assert.Null(await Plans.Request.AttributeAsync("platform"));
    }

    [Fact]
    public Task SeveralPlatformsOfTheVariableAreRefusedByTheClassicStore() =>
        Plans.Request.RefusesAsync("BuildKit.MultiPlatformNotSupported", Plans.Daemon(DaemonStore.EngineGraphdriver, ("DOCKER_DEFAULT_PLATFORM", "arm64,amd64")));
}
