using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using BuildKit.Docker;
using BuildKit.Tests.Engines;
using Xunit;
using static BuildKit.Tests.Docker.EnginePulls;

namespace BuildKit.Tests.Docker;

/// <summary>A real Engine told to pull what can't be pulled: the error tells the Engine's own words, the image and what to do, and nothing is there afterwards.</summary>
public sealed class ImagePullErrorTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(180);

    public static TheoryData<EngineKind> Engines => new(EngineKind.Docker28Graphdriver, EngineKind.Docker28Containerd, EngineKind.Docker26Containerd, EngineKind.Docker20);

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public async Task What_the_registry_does_not_have(EngineKind kind)
    {
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var image = await RegistryImage.PushAsync(registry, Repository(kind), "there");
        var host = registry.Address.Authority;

        foreach (var name in new[] { $"{host}/no/such/repository:1", (image with { Tag = "other" }).Name, $"{host}/{image.Repository}@sha256:{new string('0', 64)}", $"{host}/denied/eof:x509" })
            await FailsAsync(client, name, "BuildKit.ImageNotFoundInRegistry", "not found", $"docker login {host}");
        await FailsAsync(client, "127.0.0.1:9/app:1", "BuildKit.RegistryUnreachable", "connection refused", "'127.0.0.1:9' is that machine itself");
        await FailsAsync(client, $"{host}/Bad/Name", "BuildKit.InvalidTag", "invalid reference format", "registry.example.com/team/app:1.0");
    }

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public async Task Credentials_that_are_wanted_or_wrong_are_told_and_shown_nowhere(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var client = CreateClient(engine);
        foreach (var registryKind in new[] { EngineKind.RegistryBasic, EngineKind.RegistryToken })
        {
            var registry = await TestEngines.GetAsync(registryKind);
            var host = registry.Address.Authority;
            foreach (var account in new[] { null, RegistryAccount.Wrong })
            {
                var failure = await FailsAsync(client, registry.BaseImage, "BuildKit.RegistryDenied", "", $"Log in {(account is null ? "first" : "again")}: docker login {host}", Config(host, Auth(account)));
                Assert.Equal(BuildKitErrorCategory.PermissionDenied, failure.Category);
                Assert.All(RegistryAccount.Secrets, secret => Assert.DoesNotContain(secret, failure.ToString(), StringComparison.Ordinal));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public async Task A_blob_that_is_gone_or_damaged_never_ends_well(EngineKind kind)
    {
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var below = await RegistryImage.PushAsync(registry, Repository(kind), "below");
        await PullAsync(client, below.Name);
        foreach (var isConfig in new[] { false, true })
        {
            foreach (var (damage, change) in Damages)
            {
                // Of each image the Engine has the first layer already. A new one each time: the containerd store goes on for a second from what it has kept of a bad blob.
                var image = await RegistryImage.PushAsync(registry, Repository(kind), $"{damage}-{isConfig}", below: below);
                var path = image.BlobPath(isConfig ? image.Config : image.Layers[1]);
                var good = await File.ReadAllBytesAsync(path);
                Damage(path, change(good));

                var failure = await Assert.ThrowsAnyAsync<BuildKitException>(() => PullAsync(client, image.Name));

                var seen = $"{(isConfig ? "config" : "layer")} {damage}: {failure.ErrorId}: {failure.Message}";
                Assert.True(failure.ErrorId == "BuildKit.ImageCorrupt" && failure.Target == image.Name && failure.Message.Contains($"'{image.Name}'", StringComparison.Ordinal), seen);
                Assert.Contains($"Push '{image.Name}' again", failure.RecommendedAction, StringComparison.Ordinal);
                var absent = await Assert.ThrowsAnyAsync<BuildKitException>(() => PullAsync(client, image.Name, policy: ImagePullPolicy.Never));
                Assert.True(absent.ErrorId == "BuildKit.ImageNotFound", seen);

                Damage(path, good);
                if (damage == "short")
                    Assert.Equal(image.Digest, (await PullOnceMendedAsync(client, image.Name)).Digest);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public async Task A_manifest_that_is_gone_or_damaged(EngineKind kind)
    {
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var image = await RegistryImage.PushAsync(registry, Repository(kind), "manifest");
        var path = image.BlobPath(image.Digest);
        var good = await File.ReadAllTextAsync(path);

        Damage(path, null);
        await FailsAsync(client, image.Name, "BuildKit.ImageNotFoundInRegistry", "not found", "Check the repository and the tag");
        Damage(path, Encoding.UTF8.GetBytes(good[..40]));
        await FailsAsync(client, image.Name, "BuildKit.RegistryFailed", "500 Internal Server Error", registry.Address.Authority);
        // Still a manifest, but another one than the digest says. By its tag the classic store takes it, and tells the digest of what it got.
        var other = Encoding.UTF8.GetBytes(good.Replace("\"schemaVersion\":2", "\"schemaVersion\": 2", StringComparison.Ordinal));
        Damage(path, other);
        await FailsAsync(client, image.NameByDigest, "BuildKit.ImageCorrupt", image.Digest, "Push");
        if (kind is EngineKind.Docker28Graphdriver or EngineKind.Docker20)
            Assert.Equal("sha256:" + Convert.ToHexString(SHA256.HashData(other)).ToLowerInvariant(), (await PullAsync(client, image.Name)).Digest);
        else
            await FailsAsync(client, image.Name, "BuildKit.ImageCorrupt", image.Digest, "Push");
        Damage(path, Encoding.UTF8.GetBytes(good));
    }

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public async Task What_a_registry_in_trouble_answers(EngineKind kind)
    {
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var image = await RegistryImage.PushAsync(registry, Repository(kind), "trouble");
        await using (var down = new DamagedRegistry(image, "/manifests/", "503 Service Unavailable", "{}"))
            await FailsAsync(client, down.Name, "BuildKit.RegistryFailed", "503 Service Unavailable", down.Authority);
        await using (var busy = new DamagedRegistry(image, "/manifests/", "429 Too Many Requests", """{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"""))
            await FailsAsync(client, busy.Name, "BuildKit.RegistryRateLimited", "", $"docker login {busy.Authority}");
        await using (var refused = new DamagedRegistry(image, "/manifests/", "403 Forbidden", """{"errors":[{"code":"DENIED","message":"not you"}]}"""))
            await FailsAsync(client, refused.Name, "BuildKit.RegistryDenied", "", $"docker login {refused.Authority}");
        await using (var good = new DamagedRegistry(image, "/nothing/", "404 Not Found", "{}"))
            Assert.Equal(image.Digest, (await PullAsync(client, good.Name)).Digest);
    }

    /// <summary>The classic store tries again for 50 s: <c>BUILDKIT_TESTS_SLOW=1</c> has it tried too.</summary>
    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, true)]
    [InlineData(EngineKind.Docker20, true)]
    [InlineData(EngineKind.Docker28Containerd, false)]
    [InlineData(EngineKind.Docker26Containerd, false)]
    public async Task A_registry_that_fails_for_a_blob(EngineKind kind, bool isSlow)
    {
        Skip.If(isSlow && Environment.GetEnvironmentVariable("BUILDKIT_TESTS_SLOW") != "1", "It takes a minute; set BUILDKIT_TESTS_SLOW=1.");
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var image = await RegistryImage.PushAsync(registry, Repository(kind), "blob");
        await using var damaged = new DamagedRegistry(image, $"/blobs/{image.Layers[0]}", "500 Internal Server Error", "{}");

        await FailsAsync(client, damaged.Name, "BuildKit.RegistryFailed", "500 Internal Server Error", damaged.Authority);
    }

    [SkippableTheory]
    [MemberData(nameof(Engines))]
    public async Task Cancelling_ends_the_pull_on_the_Engine(EngineKind kind)
    {
        var (client, registry) = await ArrangeAsync(kind);
        using var _ = client;
        var image = await RegistryImage.PushAsync(registry, Repository(kind), "stopped");
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var open = 0;
        // Bytes go on trickling: the classic store sees that its client has gone when the next ones arrive.
        await using var slow = new DamagedRegistry(image, $"/blobs/{image.Layers[0]}", async (stream, cancellationToken) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"u8.ToArray(), cancellationToken);
            Interlocked.Increment(ref open);
            try
            {
                while (true)
                {
                    await stream.WriteAsync("."u8.ToArray(), cancellationToken);
                    asked.TrySetResult();
                    await Task.Delay(20, cancellationToken);
                }
            }
            finally
            {
                Interlocked.Decrement(ref open);
            }
        });
        using var stop = new CancellationTokenSource();
        var pull = ImagePull.RunAsync(client, slow.Name, null, ImagePullPolicy.Newer, NoConfig, null, stop.Token);
        await asked.Task.WaitAsync(Guard);
        await Task.Delay(200);
        Assert.False(pull.IsCompleted);
        Assert.True(Volatile.Read(ref open) > 0);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull.WaitAsync(Guard));
        await Poll.UntilAsync(() => Volatile.Read(ref open) == 0);
    }

    private static string Repository(EngineKind kind) => $"pull/errors/{kind.ToString().ToLowerInvariant()}";

    private static IEnumerable<(string Name, Func<byte[], byte[]?> Change)> Damages =>
    [
        ("gone", _ => null),
        ("empty", _ => []),
        ("short", good => good[..(good.Length / 2)]),
        ("longer", good => [.. good, 0]),
        ("flipped", good => good.Select((each, i) => i == good.Length / 2 ? (byte)~each : each).ToArray()),
    ];

    /// <summary>Changes a blob where the registry keeps it, at once and whole.</summary>
    private static void Damage(string path, byte[]? content)
    {
        if (content is null)
        {
            File.Delete(path);
            return;
        }
        File.WriteAllBytes(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }

    private static async Task<ImagePullResult> PullOnceMendedAsync(DockerEngineClient client, string name)
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            try
            {
                return await PullAsync(client, name);
            }
            catch (BuildKitException exception) when (exception.ErrorId == "BuildKit.ImageCorrupt" && waited.Elapsed < Guard)
            {
                // The Engine has not thrown away yet what it got.
            }
        }
    }

    private static async Task<BuildKitException> FailsAsync(DockerEngineClient client, string name, string id, string words, string advice, DockerConfigFile? config = null)
    {
        var failure = await Assert.ThrowsAnyAsync<BuildKitException>(() => PullAsync(client, name, config: config));
        Assert.Equal((id, name, name), (failure.ErrorId, name, failure.Target));
        Assert.Contains($"'{name}'", failure.Message, StringComparison.Ordinal);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.Contains(advice, failure.RecommendedAction, StringComparison.Ordinal);
        return failure;
    }
}
