using BuildKit.Docker;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using Xunit;
using static BuildKit.Tests.Docker.EnginePulls;

namespace BuildKit.Tests.Docker;

/// <summary>An Engine told to push: a real one, and one that misbehaves.</summary>
public sealed class ImagePushTests
{
    private const string Digest = "sha256:f1ecb33fdc513bc4c4e6478feeb0d08534a69ef93e09ed8ac1ace8a19ae8781b";
    private const string Secret = "s3cr3t-Geheim";
    private static readonly TimeSpan Guard = Poll.Patience;

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.Docker26Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task The_digest_is_the_registrys(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var registry = await TestEngines.GetAsync(EngineKind.RegistryToken);
        var name = $"{registry.Address.Authority}/pushed/{kind.ToString().ToLowerInvariant()}:1";
        (await engine.DockerAsync("tag", engine.BaseImage, name)).OutputOrThrow();
        using var client = CreateClient(engine);
        var messages = new Recorder<JSONMessage>();

        var digest = await client.Images.PushImageAsync(name, Auth(RegistryAccount.Writer), messages, default).WaitAsync(Guard);

        Assert.Equal(await RegistryContent.DigestAsync(registry, name), digest);
        Assert.Contains(messages.Events, message => message.ID is not null && message.ProgressDetail is not null);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.Docker26Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task A_refusal_inside_the_stream_is_told_with_the_repository_and_what_to_do(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var client = CreateClient(engine);
        foreach (var registryKind in new[] { EngineKind.RegistryBasic, EngineKind.RegistryToken })
        {
            var registry = await TestEngines.GetAsync(registryKind);
            var name = $"{registry.Address.Authority}/refused/{kind.ToString().ToLowerInvariant()}:1";
            (await engine.DockerAsync("tag", engine.BaseImage, name)).OutputOrThrow();
            RegistryAccount?[] accounts = registryKind == EngineKind.RegistryBasic ? [RegistryAccount.Wrong, null] : [RegistryAccount.Wrong, RegistryAccount.Reader, null];
            foreach (var account in accounts)
            {
                var failure = await FailsAsync(client, name, Auth(account));
                Assert.Equal((registryKind, account, "BuildKit.RegistryDenied"), (registryKind, account, failure.ErrorId));
                Assert.Contains($"'{registry.Address.Authority}' refused to take '{name}'", failure.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', failure.Message);
                Assert.EndsWith($"log in {(account is null ? "first" : "again")}: docker login {registry.Address.Authority}", failure.RecommendedAction, StringComparison.Ordinal);
                Assert.Equal(name, failure.Target);
                Assert.All(RegistryAccount.Secrets, secret => Assert.DoesNotContain(secret, failure + failure.RecommendedAction, StringComparison.Ordinal));
            }
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task An_image_that_is_not_there_and_a_registry_that_is_not_are_told(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var client = CreateClient(engine);

        var missing = await FailsAsync(client, "127.0.0.1:9/no/such/image:1", Auth(null));
        Assert.Equal("BuildKit.ImagePushFailed", missing.ErrorId);
        Assert.Contains("127.0.0.1:9/no/such/image", missing.Message, StringComparison.Ordinal);

        (await engine.DockerAsync("tag", engine.BaseImage, "127.0.0.1:9/no/registry:1")).OutputOrThrow();
        var unreachable = await FailsAsync(client, "127.0.0.1:9/no/registry:1", Auth(null));
        Assert.Equal("BuildKit.ImagePushFailed", unreachable.ErrorId);
        Assert.Contains("connection refused", unreachable.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_go_in_the_header_and_the_tag_in_the_query()
    {
        var requests = new List<string>();
        await using var server = Engine(requests, EngineImpostor.Chunk($$$"""{"aux":{"Tag":"2","Digest":"{{{Digest}}}","Size":1}}""") + EngineImpostor.End);
        using var client = EngineImpostor.Connect(server);

        Assert.Equal(Digest, await PushAsync(client, "team/app:2", new DockerAuthConfig { Username = "ü", Password = Secret }));
        Assert.Equal(Digest, await PushAsync(client, "127.0.0.1:5000/team/app", new DockerAuthConfig { IdentityToken = Secret }));
        Assert.Equal(Digest, await PushAsync(client, "127.0.0.1:5000/team/app", new DockerAuthConfig()));

        Assert.StartsWith("POST /v1.51/images/docker.io/team/app/push?tag=2 HTTP/1.1\r\n", requests[0], StringComparison.Ordinal);
        Assert.StartsWith("POST /v1.51/images/127.0.0.1:5000/team/app/push?tag=latest HTTP/1.1\r\n", requests[1], StringComparison.Ordinal);
        Assert.All(requests, request => Assert.Contains("\r\nContent-Length: 0\r\n", request, StringComparison.Ordinal));
        Assert.Equal(
            [
                $"password={Secret} serveraddress=https://index.docker.io/v1/ username=ü",
                $"identitytoken={Secret} serveraddress=127.0.0.1:5000",
                "serveraddress=127.0.0.1:5000",
            ],
            requests.Select(EngineImpostor.SentAuth));
    }

    [Theory]
    [InlineData("""{"status":"pushing"}""", true, "BuildKit.ImagePushFailed", "without saying that the image was pushed")]
    [InlineData("""{"status":"pushing"}""", false, "BuildKit.ConnectionLost", null)]
    [InlineData("""{"status":"pushing""", true, "BuildKit.ImagePushFailed", "not the JSON that was expected")]
    [InlineData("""{"error":"no space"}""", true, "BuildKit.ImagePushFailed", "no space")]
    [InlineData("""{"errorDetail":{"code":401,"message":"unauthorized: no"},"error":"unauthorized: no"}""", true, "BuildKit.RegistryDenied", "unauthorized: no")]
    [InlineData("""{"errorDetail":{"message":"errors:\ndenied: first\nunauthorized: second\n"}}""", true, "BuildKit.RegistryDenied", "denied: first; unauthorized: second")]
    [InlineData("""{"errorDetail":{"message":"your password s3cr3t-Geheim is denied"}}""", true, "BuildKit.RegistryDenied", "your password *** is denied")]
    public async Task A_stream_that_ends_otherwise_than_well_is_an_error(string line, bool hasEnd, string id, string? words)
    {
        await using var server = Engine([], EngineImpostor.Chunk("""{"status":"The push refers to repository [x]"}""") + EngineImpostor.Chunk(line) + (hasEnd ? EngineImpostor.End : ""));
        using var client = EngineImpostor.Connect(server);
        var failure = await FailsAsync(client, "127.0.0.1:5000/app:1", new DockerAuthConfig { Username = "u", Password = Secret });
        Assert.Equal(id, failure.ErrorId);
        Assert.Contains(words ?? "", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_comes_after_an_error_is_read_and_a_digest_does_not_make_it_good()
    {
        await using var server = Engine([], EngineImpostor.Chunk("""{"error":"broken"}""") + EngineImpostor.Chunk($$$"""{"aux":{"Digest":"{{{Digest}}}"}}""") + EngineImpostor.End);
        using var client = EngineImpostor.Connect(server);
        var failure = await FailsAsync(client, "127.0.0.1:5000/app:1", new DockerAuthConfig());
        Assert.EndsWith(": broken", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_the_call_on_the_Engine_too()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = Engine([], EngineImpostor.Chunk("""{"status":"Preparing","progressDetail":{},"id":"1"}"""), async (stream, cancellationToken) =>
        {
            if (await stream.ReadAsync(new byte[1], cancellationToken) == 0)
                ended.SetResult();
        });
        using var client = EngineImpostor.Connect(server);
        using var stop = new CancellationTokenSource();
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var messages = new Recorder<JSONMessage>(_ => first.TrySetResult());
        var push = client.Images.PushImageAsync("127.0.0.1:5000/app:1", new DockerAuthConfig(), messages, stop.Token);
        await first.Task.WaitAsync(Guard);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => push.WaitAsync(Guard));
        await ended.Task.WaitAsync(Guard);
    }

    private static Task<string> PushAsync(DockerEngineClient client, string name, DockerAuthConfig auth) =>
        client.Images.PushImageAsync(name, auth, null, default).WaitAsync(Guard);

    private static Task<BuildKitException> FailsAsync(DockerEngineClient client, string name, DockerAuthConfig auth) =>
        Assert.ThrowsAnyAsync<BuildKitException>(() => PushAsync(client, name, auth));

    /// <summary>Answers each push with the same chunks.</summary>
    private static TestServer Engine(List<string> requests, string chunks, Func<Stream, CancellationToken, Task>? then = null) => EngineImpostor.Start(
        request =>
        {
            requests.Add(request);
            return EngineImpostor.StreamHead + chunks;
        },
        then);
}
