using BuildKit.Docker;
using BuildKit.Tests.Engines;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Docker;

/// <summary>A real Engine told to pull from a real registry: what it gives, and what may be taken from the Engine itself.</summary>
public sealed class ImagePullTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);

    public static TheoryData<EngineKind> Engines => new(
        EngineKind.Docker28Graphdriver, EngineKind.Docker28Containerd, EngineKind.Docker26, EngineKind.Docker26Containerd, EngineKind.Docker20);

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public async Task The_digest_is_the_registrys(EngineKind kind)
    {
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var image = await RegistryImage.PushAsync(registry, Repository(kind), "good");
        var crane = await TestEngines.GetProgramAsync("crane");
        var events = new Events();

        var pulled = await PullAsync(client, image.Name, events: events);

        var inRegistry = (await CommandResult.RunAsync(crane, ["digest", "--insecure", image.Name])).OutputOrThrow();
        Assert.Equal(inRegistry, pulled.Digest);
        Assert.Equal((image.Name, "linux/amd64", true, null), (pulled.Reference, pulled.Platform, pulled.Pulled, pulled.Warning));
        Assert.True(pulled.Size > 90_000, $"{pulled.Size}");
        Assert.Equal(pulled.Id, (await client.Images.InspectImageAsync(image.Name, default)).ID);
        Assert.Contains(events.All, each => each.Layer is { } layer && image.Layers[0].Contains(layer, StringComparison.Ordinal));

        // Up to date, and by its digest, with the tag and without.
        foreach (var name in new[] { image.Name, image.NameByDigest, $"{image.Name}@{image.Digest}" })
        {
            var again = await PullAsync(client, name);
            Assert.Equal(pulled with { Reference = name }, again);
        }
    }

    private static async Task<(DockerEngineClient Client, TestEngine Registry)> ArrangeAsync(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        return (CreateClient(engine), await TestEngines.GetAsync(EngineKind.Registry));
    }

    private static string Repository(EngineKind kind) => $"pull/{kind.ToString().ToLowerInvariant()}";

    private static Task<ImagePullResult> PullAsync(
        DockerEngineClient client, string name, string? platform = null, ImagePullPolicy policy = ImagePullPolicy.Always, DockerConfigFile? config = null, Events? events = null) =>
        ImagePull.RunAsync(client, name, platform, policy, config ?? new DockerConfigFile { Directory = "/nonexistent" }, events, default).WaitAsync(Guard);

    private static DockerEngineClient CreateClient(TestEngine engine) =>
        new(new UnixSocketTransport(new TransportTarget(engine.Address.OriginalString), engine.Address.AbsolutePath, Guard));

    private sealed class Events : IProgress<ImagePullEvent>
    {
        public List<ImagePullEvent> All { get; } = [];

        public void Report(ImagePullEvent value) => All.Add(value);
    }
}
