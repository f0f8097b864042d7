using BuildKit.Docker;
using BuildKit.Oci;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Registry;

/// <summary>The client against real registries: without credentials, with basic authentication and with tokens.</summary>
public sealed class RegistryClientTests
{
    public static TheoryData<EngineKind> Registries => [EngineKind.Registry, EngineKind.RegistryBasic, EngineKind.RegistryToken];

    public static TheoryData<EngineKind> Private => [EngineKind.RegistryBasic, EngineKind.RegistryToken];

    [SkippableTheory]
    [MemberData(nameof(Registries))]
    public async Task A_manifest_is_read_by_tag_and_by_digest_and_put_under_another_tag(EngineKind kind)
    {
        var registry = await TestEngines.GetAsync(kind);
        var name = await RegistryBuild.AddImageAsync(registry);
        using var access = RegistryAccess.As(registry, kind == EngineKind.Registry ? null : RegistryAccount.Writer);
        var client = await access.ClientAsync(name);

        var byTag = await client.GetManifestAsync("1", default);
        Assert.Equal(await RegistryContent.DigestAsync(registry, name), byTag.Descriptor.Digest.ToString());
        var digest = byTag.Descriptor.Digest.ToString();
        Assert.Equal(byTag.Content, (await client.GetManifestAsync(digest, default)).Content);
        var head = await client.HeadManifestAsync("1", default);
        Assert.Equal((byTag.Descriptor.Digest, byTag.Descriptor.Size, byTag.Descriptor.MediaType), (head!.Digest, head.Size, head.MediaType));

        Assert.Null(await client.HeadManifestAsync("2", default));
        var put = await client.PutManifestAsync("2", byTag.Descriptor.MediaType, byTag.Content, default);
        Assert.Equal(byTag.Descriptor.Digest, put.Digest);
        Assert.Equal(byTag.Descriptor.Digest, (await client.HeadManifestAsync("2", default))!.Digest);
    }

    [SkippableTheory]
    [MemberData(nameof(Registries))]
    public async Task What_is_not_there_is_said_with_the_registrys_own_words(EngineKind kind)
    {
        var registry = await TestEngines.GetAsync(kind);
        var name = await RegistryBuild.AddImageAsync(registry);
        using var access = RegistryAccess.As(registry, kind == EngineKind.Registry ? null : RegistryAccount.Writer);
        var error = await Assert.ThrowsAsync<BuildKitException>(async () => await (await access.ClientAsync(name)).GetManifestAsync("none", default));
        Assert.Equal("BuildKit.ManifestNotFound", error.ErrorId);
        Assert.Contains("'none'", error.Message, StringComparison.Ordinal);
        Assert.Contains("manifest unknown", error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Private))]
    public async Task Who_may_not_is_told_to_log_in_and_no_secret_is_shown(EngineKind kind)
    {
        var registry = await TestEngines.GetAsync(kind);
        var name = await RegistryBuild.AddImageAsync(registry);
        foreach (var account in new[] { null, RegistryAccount.Wrong })
        {
            using var access = RegistryAccess.As(registry, account);
            var error = await Assert.ThrowsAsync<BuildKitException>(async () => await (await access.ClientAsync(name)).GetManifestAsync("1", default));
            Assert.Equal("BuildKit.RegistryDenied", error.ErrorId);
            Assert.EndsWith("docker login " + registry.Address.Authority, error.RecommendedAction, StringComparison.Ordinal);
            Assert.Contains(account is null ? " first" : " again", error.RecommendedAction, StringComparison.Ordinal);
            Assert.All(RegistryAccount.Secrets, secret => Assert.DoesNotContain(secret, error.ToString(), StringComparison.Ordinal));
        }
    }

    [SkippableFact]
    public async Task A_token_to_pull_is_not_enough_to_push()
    {
        var registry = await TestEngines.GetAsync(EngineKind.RegistryToken);
        var name = await RegistryBuild.AddImageAsync(registry);
        using var access = RegistryAccess.As(registry, RegistryAccount.Reader);
        var client = await access.ClientAsync(name);
        var manifest = await client.GetManifestAsync("1", default);
        var error = await Assert.ThrowsAsync<BuildKitException>(() => client.PutManifestAsync("2", manifest.Descriptor.MediaType, manifest.Content, default));
        Assert.Equal("BuildKit.RegistryDenied", error.ErrorId);
    }

    [SkippableFact]
    public async Task An_identity_token_is_exchanged_and_a_registry_token_sent_as_it_is()
    {
        var registry = await TestEngines.GetAsync(EngineKind.RegistryToken);
        var name = await RegistryBuild.AddImageAsync(registry);
        var token = await RegistryContent.TokenAsync(registry, ImageReference.Parse(name).Path);
        foreach (var entry in new[] { $$"""{"identitytoken":"{{RegistryAccount.IdentityToken}}"}""", $$"""{"registrytoken":"{{token}}"}""" })
        {
            using var access = RegistryAccess.With(registry.Address.Authority, entry);
            Assert.NotNull(await (await access.ClientAsync(name)).HeadManifestAsync("1", default));
        }
    }

    [Fact]
    public async Task A_registry_that_is_not_there_is_unreachable()
    {
        using var access = RegistryAccess.As("127.0.0.1:1", null);
        var error = await Assert.ThrowsAsync<BuildKitException>(async () => await (await access.ClientAsync("127.0.0.1:1/app")).GetManifestAsync("1", default));
        Assert.Equal("BuildKit.RegistryUnreachable", error.ErrorId);
        Assert.Contains("nobody listens there", error.Message, StringComparison.Ordinal);
    }
}
