using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Builders;

/// <summary>A container with a buildkitd, started by the docker CLI from an image that is imported once an Engine.</summary>
internal sealed class BuildKitContainer : IAsyncDisposable
{
    private const string Image = "buildkit-test:1";

    private static readonly SemaphoreSlim Lock = new(1);

    private readonly TestEngine _engine;

    private BuildKitContainer(TestEngine engine, string name)
    {
        _engine = engine;
        Name = name;
    }

    public string Name { get; }

    public static async Task<BuildKitContainer> StartAsync(TestEngine engine, string? name = null)
    {
        await ImportAsync(engine);
        name ??= "buildkit-" + Guid.NewGuid().ToString("n")[..8];
        (await engine.DockerAsync("run", "-d", "--privileged", "--name", name, Image)).OutputOrThrow();
        var container = new BuildKitContainer(engine, name);
        await Poll.UntilAsync(async () => (await engine.DockerAsync("exec", name, "buildctl", "debug", "workers")).ExitCode == 0);
        return container;
    }

    public async ValueTask DisposeAsync() => (await _engine.DockerAsync("rm", "-f", "-v", Name)).OutputOrThrow();

    private static async Task ImportAsync(TestEngine engine)
    {
        await Lock.WaitAsync();
        try
        {
            if ((await engine.DockerAsync("image", "inspect", Image)).ExitCode == 0)
                return;
            var tar = Path.Combine(engine.Folder, "buildkit.tar");
            (await TestEngines.RunAsync("buildkit-image", tar)).OutputOrThrow();
            (await engine.DockerAsync("import", "-c", "ENTRYPOINT [\"buildkitd\"]", tar, Image)).OutputOrThrow();
            File.Delete(tar);
        }
        finally
        {
            Lock.Release();
        }
    }
}
