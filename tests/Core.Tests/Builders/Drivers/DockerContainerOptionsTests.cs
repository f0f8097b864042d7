using BuildKit.Builders;
using BuildKit.Builders.Drivers;
using BuildKit.Docker;
using Xunit;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>The driver's options as a user writes them, and what the container is asked to be.</summary>
public sealed class DockerContainerOptionsTests
{
    private static readonly SystemInfoResponse Engine = new() { CgroupDriver = "cgroupfs" };

    [Fact]
    public void WithoutOptionsTheContainerIsBuildxs()
    {
        var made = Create(new BuildKitNode { Name = "n0", Endpoint = "default" });
        Assert.Equal("moby/buildkit:buildx-stable-1", made.Image);
        Assert.Empty(made.Cmd!);
        Assert.True(made.HostConfig.Privileged);
        Assert.True(made.HostConfig.Init);
        Assert.Equal(new RestartPolicy("unless-stopped", 0), made.HostConfig.RestartPolicy);
        Assert.Equal([new Mount("volume", "buildx_buildkit_n0_state", "/var/lib/buildkit")], made.HostConfig.Mounts!);
        Assert.Equal("/docker/buildx", made.HostConfig.CgroupParent);
        Assert.Null(made.HostConfig.UsernsMode);
    }

    [Fact]
    public void TheConfigComesBeforeTheFlags()
    {
        var made = Create(new BuildKitNode
        {
            Name = "n0",
            Endpoint = "default",
            BuildkitdFlags = ["--debug"],
            Files = new Dictionary<string, byte[]> { ["buildkitd.toml"] = [] },
        });
        Assert.Equal(["--config", "/etc/buildkit/buildkitd.toml", "--debug"], made.Cmd!);
    }

    [Fact]
    public void InsideWindowsTheLibrariesOfItsGpuComeAlong()
    {
        var node = new BuildKitNode { Name = "n0", Endpoint = "default" };
        var made = DockerContainerSpec.Create(node, DockerContainerOptions.Read(node.DriverOptions), Engine, DockerContainerSpec.AllGpus, needsWslLibraries: true);
        Assert.Equal(new Mount("bind", "/usr/lib/wsl", "/usr/lib/wsl", ReadOnly: true), made.HostConfig.Mounts![1]);
        Assert.Equal(-1, Assert.Single(made.HostConfig.DeviceRequests!).Count);
    }

    [Fact]
    public void AnEngineThatRemapsUsersIsToldNotTo() =>
        Assert.Equal("host", Create(new BuildKitNode { Name = "n0", Endpoint = "default" }, Engine with { SecurityOptions = ["name=seccomp,profile=builtin", "name=userns"] }).HostConfig.UsernsMode);

    [Fact]
    public void SystemdsControlGroupsAreLeftAlone() =>
        Assert.Null(Create(With("cgroup-parent", "/elsewhere"), Engine with { CgroupDriver = "systemd" }).HostConfig.CgroupParent);

    [Theory]
    [InlineData("memory", "512m", 512L << 20)]
    [InlineData("memory", "1.5GiB", 3L << 29)]
    [InlineData("memory", "1024", 1024L)]
    [InlineData("memory", "64 kb", 64L << 10)]
    [InlineData("memory-swap", "-1", -1L)]
    [InlineData("memory-swap", "2g", 2L << 30)]
    public void SizesAreDockers(string option, string value, long bytes)
    {
        var host = DockerContainerOptions.Read(With(option, value).DriverOptions).Host;
        Assert.Equal(bytes, option == "memory" ? host.Memory : host.MemorySwap);
    }

    [Theory]
    [InlineData("memory", "-1", "a size")]
    [InlineData("memory", "12q", "a size")]
    [InlineData("memory", "1e3m", "a size")]
    [InlineData("memory-swap", "none", "-1 for no limit")]
    [InlineData("cpu-quota", "half", "a whole number")]
    [InlineData("restart-policy", "sometimes", "unless-stopped")]
    [InlineData("restart-policy", "always:3", "on-failure[:TRIES]")]
    [InlineData("restart-policy", "on-failure:-1", "on-failure[:TRIES]")]
    [InlineData("default-load", "yes", "true or false")]
    [InlineData("cpu-shres", "2", "'cpu-shares'")]
    [InlineData("env.", "2", "env.NAME")]
    [InlineData("something-else", "2", "cgroup-parent")]
    public void AWrongOneIsTold(string option, string value, string advice)
    {
        var error = Assert.Throws<BuildKitException>(() => new DockerContainerDriver().Validate(With(option, value)));
        Assert.Equal("BuildKit.InvalidDriverOption", error.ErrorId);
        Assert.Contains(option, error.Message, StringComparison.Ordinal);
        Assert.Contains(advice, error.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../shadow")]
    [InlineData("/shadow")]
    [InlineData("certs//ca.pem")]
    [InlineData("certs\\ca.pem")]
    [InlineData("buildkitd.toml/ca.pem")]
    public void AFileOutsideOfTheFolderIsRefused(string name)
    {
        var node = new BuildKitNode { Name = "n0", Endpoint = "default", Files = new Dictionary<string, byte[]> { ["buildkitd.toml"] = [], [name] = [] } };
        Assert.Equal("BuildKit.BuilderInvalid", Assert.Throws<BuildKitException>(() => new DockerContainerDriver().Validate(node)).ErrorId);
    }

    private static BuildKitNode With(string option, string value) =>
        new() { Name = "n0", Endpoint = "default", DriverOptions = new Dictionary<string, string> { [option] = value } };

    private static CreateContainerParameters Create(BuildKitNode node, SystemInfoResponse? engine = null) =>
        DockerContainerSpec.Create(node, DockerContainerOptions.Read(node.DriverOptions), engine ?? Engine, null, needsWslLibraries: false);
}
