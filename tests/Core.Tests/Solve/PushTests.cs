using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Images that are pushed once they are built: by the daemon's own exporter, or by the Engine's API where its exporter can't.</summary>
public sealed class PushTests
{
    public static TheoryData<EngineKind, EngineKind> All => RegistryBuild.Cells(EngineKind.Registry, EngineKind.RegistryBasic, EngineKind.RegistryToken);

    public static TheoryData<EngineKind, EngineKind> Private => RegistryBuild.Cells(EngineKind.RegistryBasic, EngineKind.RegistryToken);

    [SkippableTheory]
    [MemberData(nameof(All))]
    public async Task Every_tag_is_pushed_and_its_digest_is_the_results(EngineKind kind, EngineKind registryKind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var registry = await TestEngines.GetAsync(registryKind);
        var (first, second) = (RegistryBuild.NewName(registry, "a/first"), RegistryBuild.NewName(registry, "b/second"));
        using var build = new RegistryBuild().LogIn(registry, registryKind == EngineKind.Registry ? null : RegistryAccount.Writer);

        var result = await build.RunAsync(engine, Push(engine, first, second));

        Assert.Equal([first, second], result.Tags);
        Assert.Equal(await RegistryContent.DigestAsync(registry, first), result.ImageDigest);
        Assert.Equal(result.ImageDigest, await RegistryContent.DigestAsync(registry, second));
        if (IsPushedByApi(kind))
            AssertPushSteps(build, first, second);
        if (engine.IsDocker)
            Assert.NotEmpty((await engine.DockerAsync("image", "inspect", first)).OutputOrThrow());
        await build.AssertNoSecretAsync(engine);
    }

    [SkippableTheory]
    [MemberData(nameof(Private))]
    public async Task A_push_that_is_refused_names_the_repository(EngineKind kind, EngineKind registryKind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var registry = await TestEngines.GetAsync(registryKind);
        using var build = new RegistryBuild();
        // With basic authentication a registry knows no accounts that may only read.
        RegistryAccount?[] accounts = registryKind == EngineKind.RegistryBasic ? [null, RegistryAccount.Wrong] : [null, RegistryAccount.Wrong, RegistryAccount.Reader];
        foreach (var account in accounts)
        {
            var name = RegistryBuild.NewName(registry, "refused");
            var failure = await build.LogIn(registry, account).FailsAsync(engine, Push(engine, name));
            Assert.Equal((account, "BuildKit.RegistryDenied", BuildKitErrorCategory.PermissionDenied), (account, failure.ErrorId, failure.Category));
            Assert.Contains(registry.Address.Authority, failure.Message, StringComparison.Ordinal);
            Assert.Contains(name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..name.LastIndexOf(':')], failure.Message, StringComparison.Ordinal);
            Assert.Contains("docker login", failure.RecommendedAction, StringComparison.Ordinal);
            if (IsPushedByApi(kind))
                Assert.Equal(failure.Message, build.Vertexes.Last(vertex => vertex.Name == $"pushing {name} with docker").Error);
        }
        await build.AssertNoSecretAsync(engine);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task Stopping_ends_the_push(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registry = new TestServer((stream, cancellationToken) => NeverAnswerAsync(stream, waiting, left, cancellationToken));
        using var build = new RegistryBuild();
        using var stop = new CancellationTokenSource();
        var push = build.RunAsync(engine, Push(engine, $"127.0.0.1:{registry.Port}/never:1"), stop.Token);
        await waiting.Task.WaitAsync(Poll.Patience);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => push.WaitAsync(Poll.Patience));
        // The Engine's own push ends with the call, but not in the middle of a request to a registry.
        if (!IsPushedByApi(kind))
            await left.Task.WaitAsync(Poll.Patience);
    }

    private static bool IsPushedByApi(EngineKind kind) => kind is EngineKind.Docker28Graphdriver or EngineKind.Docker26 or EngineKind.Docker20;

    private static SolveRequest Push(TestEngine engine, params string[] tags) => new()
    {
        DockerfileText = $"FROM {engine.BaseImage}\nRUN echo {Guid.NewGuid()} > /pushed\n",
        Tags = tags,
        Outputs = [RegistryBuild.PushedImage],
    };

    private static void AssertPushSteps(RegistryBuild build, params string[] names)
    {
        foreach (var name in names)
        {
            var vertexes = build.Vertexes.Where(vertex => vertex.Name == $"pushing {name} with docker").ToList();
            Assert.Equal([false, true], vertexes.Select(vertex => vertex.Completed is not null));
            Assert.Equal(["", ""], vertexes.Select(vertex => vertex.Error));
            var layers = build.Statuses.Where(status => status.Vertex == vertexes[0].Digest).GroupBy(status => status.Id).ToList();
            Assert.Equal(2, layers.Count);
            Assert.All(layers, layer =>
            {
                Assert.StartsWith("pushing layer ", layer.Key, StringComparison.Ordinal);
                Assert.All(layer, status => Assert.InRange(status.Current, 0, status.Total));
                Assert.NotNull(layer.Last().Completed);
                Assert.Equal(layer.Last().Total, layer.Last().Current);
            });
        }
    }

    /// <summary>A registry in plain http that says it is one, and takes every other request for something to think about.</summary>
    private static async Task NeverAnswerAsync(Stream stream, TaskCompletionSource waiting, TaskCompletionSource left, CancellationToken cancellationToken)
    {
        var bytes = new byte[4096];
        while (true)
        {
            var read = await stream.ReadAsync(bytes, cancellationToken);
            if (read == 0)
                return;
            // A TLS handshake (RFC 8446, section 5.1): a daemon tries https first, and gives it up for an answer in http.
            if (bytes[0] == 22)
            {
                await stream.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), cancellationToken);
                return;
            }
            if (!bytes.AsSpan(0, read).StartsWith("GET /v2/ "u8))
                break;
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nDocker-Distribution-Api-Version: registry/2.0\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), cancellationToken);
        }
        waiting.TrySetResult();
        while (await stream.ReadAsync(bytes, cancellationToken) > 0)
        {
        }
        left.TrySetResult();
    }
}
