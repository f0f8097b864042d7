using BuildKit.Docker;
using BuildKit.Tests.Engines;
using Xunit;
using static BuildKit.Tests.Docker.EnginePulls;

namespace BuildKit.Tests.Docker;

/// <summary>A real Engine told to pull from a real registry: what it gives, and what may be taken from the Engine itself.</summary>
public sealed class ImagePullTests
{
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
        var events = new Recorder<ImagePullEvent>();

        var pulled = await PullAsync(client, image.Name, events: events);

        var inRegistry = (await CommandResult.RunAsync(crane, ["digest", "--insecure", image.Name])).OutputOrThrow();
        Assert.Equal(inRegistry, pulled.Digest);
        Assert.Equal((image.Name, "linux/amd64", true, null), (pulled.Reference, pulled.Platform, pulled.Pulled, pulled.Warning));
        Assert.True(pulled.Size > 90_000, $"{pulled.Size}");
        Assert.Equal(pulled.Id, (await client.Images.InspectImageAsync(image.Name, default)).ID);
        Assert.Contains(events.Events, each => each.Layer is { } layer && image.Layers[0].Contains(layer, StringComparison.Ordinal));

        // Up to date, and by its digest, with the tag and without.
        foreach (var name in new[] { image.Name, image.NameByDigest, $"{image.Name}@{image.Digest}" })
        {
            var again = await PullAsync(client, name);
            Assert.Equal(pulled with { Reference = name }, again);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public async Task The_platform_is_the_one_that_was_asked_for(EngineKind kind)
    {
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var amd64 = await RegistryImage.PushAsync(registry, Repository(kind), "amd64");
        var arm64 = await RegistryImage.PushAsync(registry, Repository(kind), "arm64", "linux/arm64");
        var index = await RegistryImage.PushIndexAsync(registry, Repository(kind), "both", (amd64, "linux/amd64"), (arm64, "linux/arm64"));
        await RegistryImage.PushIndexAsync(registry, Repository(kind), "one", (arm64, "linux/arm64"));
        var both = amd64 with { Tag = "both" };

        // The third pull: the containerd store has both by then, and tells of its own platform's where it is not asked for another.
        foreach (var (platform, expected) in new[] { ("arm64", "linux/arm64"), (null, "linux/amd64"), ("linux/arm64/v8", "linux/arm64"), ("linux/amd64", "linux/amd64") })
        {
            var pulled = await PullAsync(client, both.Name, platform);
            Assert.Equal((platform, index, expected), (platform, pulled.Digest, pulled.Platform));
        }

        // By its digest the classic store has one platform.
        var byDigest = $"{registry.Address.Authority}/{Repository(kind)}@{index}";
        if (kind is EngineKind.Docker28Containerd or EngineKind.Docker26Containerd)
        {
            Assert.Equal("linux/amd64", (await PullAsync(client, byDigest, "linux/amd64")).Platform);
            Assert.Equal("linux/arm64", (await PullAsync(client, byDigest, "linux/arm64")).Platform);
        }
        else
        {
            Assert.Equal("linux/arm64", (await PullAsync(client, byDigest, "linux/arm64")).Platform);
            var first = await FailsAsync(client, byDigest, "linux/amd64");
            Assert.Equal(("BuildKit.PlatformNotFound", byDigest), (first.ErrorId, first.Target));
            Assert.Contains($"docker rmi {byDigest}", first.RecommendedAction, StringComparison.Ordinal);
        }

        // Without an index an Engine takes whatever there is.
        Assert.Equal("linux/arm64", (await PullAsync(client, arm64.Name)).Platform);
        foreach (var policy in new[] { ImagePullPolicy.Always, ImagePullPolicy.Newer, ImagePullPolicy.Missing, ImagePullPolicy.Never })
        {
            var other = await FailsAsync(client, arm64.Name, "linux/amd64", policy);
            Assert.Equal(("BuildKit.PlatformNotFound", arm64.Name), (other.ErrorId, other.Target));
            Assert.Contains("linux/amd64", other.Message, StringComparison.Ordinal);
        }
        Assert.Equal("BuildKit.PlatformNotFound", (await FailsAsync(client, (arm64 with { Tag = "one" }).Name, "linux/amd64")).ErrorId);
        Assert.Equal("BuildKit.InvalidPlatform", (await FailsAsync(client, arm64.Name, "linux/arm64/v8/x")).ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task The_policy_says_whether_the_registry_is_asked(EngineKind kind)
    {
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var first = await RegistryImage.PushAsync(registry, Repository(kind), "policy");

        Assert.Equal(("BuildKit.ImageNotFound", first.Name), Seen(await FailsAsync(client, first.Name, policy: ImagePullPolicy.Never)));
        var missing = await PullAsync(client, first.Name, policy: ImagePullPolicy.Missing);
        Assert.Equal((first.Digest, true), (missing.Digest, missing.Pulled));

        var second = await RegistryImage.PushAsync(registry, Repository(kind), "policy");
        foreach (var policy in new[] { ImagePullPolicy.Missing, ImagePullPolicy.Never })
        {
            var local = await PullAsync(client, first.Name, policy: policy);
            Assert.Equal((missing with { Pulled = false }), local);
        }
        foreach (var policy in new[] { ImagePullPolicy.Always, ImagePullPolicy.Newer })
        {
            var pulled = await PullAsync(client, first.Name, policy: policy);
            Assert.Equal((second.Digest, true, null), (pulled.Digest, pulled.Pulled, pulled.Warning));
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task Where_the_registry_is_gone_Newer_takes_what_is_there_and_says_so(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var client = CreateClient(engine);
        var name = "127.0.0.1:9/pull/newer:1";
        Assert.Equal(("BuildKit.RegistryUnreachable", name), Seen(await FailsAsync(client, name, policy: ImagePullPolicy.Newer)));

        (await engine.DockerAsync("tag", engine.BaseImage, name)).OutputOrThrow();
        var local = await PullAsync(client, name, policy: ImagePullPolicy.Newer);
        Assert.False(local.Pulled);
        Assert.Equal((await client.Images.InspectImageAsync(engine.BaseImage, default)).ID, local.Id);
        Assert.Contains($"could not pull '{name}': ", local.Warning, StringComparison.Ordinal);
        Assert.Contains("connection refused", local.Warning, StringComparison.Ordinal);
        Assert.Contains("The local image is used", local.Warning, StringComparison.Ordinal);

        Assert.Equal("BuildKit.RegistryUnreachable", (await FailsAsync(client, name)).ErrorId);
        Assert.Equal("BuildKit.RegistryUnreachable", (await FailsAsync(client, name, "linux/s390x", ImagePullPolicy.Newer)).ErrorId);
        (await engine.DockerAsync("rmi", name)).OutputOrThrow();
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task Credentials_of_the_docker_config_are_used(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var client = CreateClient(engine);
        foreach (var registryKind in new[] { EngineKind.RegistryBasic, EngineKind.RegistryToken })
        {
            var registry = await TestEngines.GetAsync(registryKind);
            var host = registry.Address.Authority;
            var name = await registry.AddImageAsync($"pull/{kind.ToString().ToLowerInvariant()}:1");
            var accounts = new List<DockerAuthConfig> { Auth(RegistryAccount.Reader) };
            if (registryKind == EngineKind.RegistryToken)
                accounts.Add(new DockerAuthConfig { IdentityToken = RegistryAccount.IdentityToken });
            foreach (var account in accounts)
            {
                var pulled = await PullAsync(client, name, config: Config(host, account));
                Assert.Equal(await RegistryContent.DigestAsync(registry, name), pulled.Digest);
                (await engine.DockerAsync("rmi", name)).OutputOrThrow();
            }
        }
    }

    private static (string Id, string? Target) Seen(BuildKitException failure) => (failure.ErrorId, failure.Target);

    private static Task<BuildKitException> FailsAsync(DockerEngineClient client, string name, string? platform = null, ImagePullPolicy policy = ImagePullPolicy.Always) =>
        Assert.ThrowsAnyAsync<BuildKitException>(() => PullAsync(client, name, platform, policy));

    private static string Repository(EngineKind kind) => $"pull/{kind.ToString().ToLowerInvariant()}";
}
