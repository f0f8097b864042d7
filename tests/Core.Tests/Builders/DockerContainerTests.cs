using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Builders;

/// <summary>A buildkitd in a container of an Engine, reached through the Engine's exec.</summary>
public sealed class DockerContainerTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(2);

    private static BuildKitEndpoint Container(TestEngine engine, string name) =>
        BuildKitEndpoint.Parse($"docker-container://{name}") with { Engine = TestEndpoints.For(engine) };

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task ABuildGoesThroughTheExecOfAContainer(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        await using var container = await BuildKitContainer.StartAsync(engine);
        using var context = new BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY word /\n").Write("word", new string('x', 1 << 20));
        await using var connection = await BuildKitConnection.ConnectAsync(Container(engine, container.Name)).WaitAsync(Guard);

        var request = new SolveRequest { Context = context.Path, Outputs = [new() { Type = "local", Destination = context.At("out") }] };
        await SolveOperation.RunAsync(connection, request, null, default).WaitAsync(Guard);

        Assert.Equal(BuildKitServerKind.Buildkitd, connection.Kind);
        Assert.Equal(1 << 20, new FileInfo(context.At("out/word")).Length);
    }

    [SkippableFact]
    public async Task AContainerThatIsNotThereOrHasNoBuildKitIsTold()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var missing = await Assert.ThrowsAsync<DockerApiException>(() => BuildKitConnection.ConnectAsync(Container(engine, "nobody")).WaitAsync(Guard));
        Assert.Equal("BuildKit.ContainerNotFound", missing.ErrorId);

        var name = "idle-" + Guid.NewGuid().ToString("n")[..8];
        (await engine.DockerAsync("create", "--name", name, engine.BaseImage, "sleep", "60")).OutputOrThrow();
        try
        {
            var stopped = await Assert.ThrowsAsync<DockerApiException>(() => BuildKitConnection.ConnectAsync(Container(engine, name)).WaitAsync(Guard));
            Assert.Equal("BuildKit.ContainerNotRunning", stopped.ErrorId);
            (await engine.DockerAsync("start", name)).OutputOrThrow();
            var bare = await Assert.ThrowsAsync<ConnectionFailedException>(() => BuildKitConnection.ConnectAsync(Container(engine, name)).WaitAsync(Guard));
            Assert.Equal("BuildKit.ContainerCommandFailed", bare.ErrorId);
            Assert.Contains("buildctl", bare.Message, StringComparison.Ordinal);
        }
        finally
        {
            await engine.DockerAsync("rm", "-f", name);
        }
    }
}
