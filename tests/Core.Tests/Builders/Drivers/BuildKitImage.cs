using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>The image of a buildkitd in the run's registry.</summary>
internal static class BuildKitImage
{
    private static readonly Lazy<Task<string>> Pushed = new(PushAsync);

    /// <summary>Its name. No Engine has it before it pulls it.</summary>
    public static Task<string> InRegistryAsync() => Pushed.Value;

    private static async Task<string> PushAsync()
    {
        var registry = await TestEngines.GetAsync(EngineKind.Registry);
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var name = $"{registry.Address.Authority}/moby/buildkit:test";
        var tar = Path.Combine(engine.Folder, "buildkit-to-push.tar");
        (await TestEngines.RunAsync("buildkit-image", tar)).OutputOrThrow();
        (await engine.DockerAsync("import", "-c", "ENTRYPOINT [\"buildkitd\"]", tar, name)).OutputOrThrow();
        File.Delete(tar);
        (await engine.DockerAsync("push", name)).OutputOrThrow();
        (await engine.DockerAsync("rmi", name)).OutputOrThrow();
        return name;
    }
}
