using System.Text;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Caches outside of a daemon, on real daemons.</summary>
public sealed class OptionCacheTests
{
    private const string Hush = "aHVzaC1odXNo";

    private static SolveCache Cache(string type, params (string Name, string Value)[] attributes) =>
        new() { Type = type, Attributes = attributes.ToDictionary(attribute => attribute.Name, attribute => attribute.Value) };

    private static async Task<string> DockerfileAsync()
    {
        // The registry's image, so that all daemons begin with the same one.
        var image = (await TestEngines.GetAsync(EngineKind.Registry)).BaseImage;
        var salt = Guid.NewGuid().ToString("N");
        return $"FROM {image} AS early\nRUN echo {salt}-early > /early\nFROM {image}\nCOPY --from=early /early /\nRUN echo {salt}-late\n";
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task CacheToARegistryServesAnotherDaemon(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var dockerfile = await DockerfileAsync();
        var place = ("ref", $"{await OptionBuilds.RegistryAsync()}/cache:{Guid.NewGuid():N}");
        await OptionBuilds.BuildAsync(engine, dockerfile, request => request with { CacheTo = [Cache("registry", place, ("mode", "max"))] });

        await using var fresh = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdUnix);
        var (result, _) = await OptionBuilds.BuildAsync(fresh, dockerfile, request => request with { CacheFrom = [Cache("registry", place)] });
        Assert.All(result.Steps.Where(step => step.Name.Contains("RUN", StringComparison.Ordinal)), step => Assert.True(step.Cached, step.Name));
        Assert.Equal(2, result.Steps.Count(step => step.Name.Contains("RUN", StringComparison.Ordinal)));
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker20)]
    public async Task CacheToInlineTravelsWithTheImage(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        // The registry's image, so that both daemons begin with the same one. One stage only: an image tells of nothing but its own layers.
        var dockerfile = $"FROM {(await TestEngines.GetAsync(EngineKind.Registry)).BaseImage}\nRUN echo {Guid.NewGuid():N} > /once\n";
        var name = $"{await OptionBuilds.RegistryAsync()}/inline:{Guid.NewGuid():N}";
        if (kind == EngineKind.BuildkitdUnix)
        {
            var push = new SolveOutput { Type = "image", Attributes = new Dictionary<string, string> { ["push"] = "true" } };
            await OptionBuilds.BuildAsync(engine, dockerfile, request => request with { Tags = [name], Outputs = [push], CacheTo = [Cache("inline")] });
        }
        else
        {
            await OptionBuilds.BuildAsync(engine, dockerfile, request => request.WithArgs(("BUILDKIT_INLINE_CACHE", "1")) with { Tags = [name] });
            (await engine.DockerAsync("push", name)).OutputOrThrow();
        }

        await using var fresh = await TestEngines.StartPrivateAsync(kind);
        var (result, _) = await OptionBuilds.BuildAsync(fresh, dockerfile, request => request with { CacheFrom = [Cache("registry", ("ref", name))] });
        Assert.Contains(result.Steps, step => step.Cached && step.Name.Contains("RUN", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task CacheToOfTheClassicStoreIsRefusedInWords()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var refused = await Assert.ThrowsAsync<BuildKitException>(() => OptionBuilds.RunAsync(engine, "true", request => request with { CacheTo = [Cache("registry", ("ref", "127.0.0.1:1/x"))] }));
        Assert.Equal("BuildKit.CacheExportNotSupported", refused.ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd, "s3")]
    // Debian's buildkitd is built without it.
    [InlineData(EngineKind.BuildkitdUnix, "azblob")]
    public async Task CacheToThatTheDaemonDoesNotKnowIsExplained(EngineKind kind, string type)
    {
        var engine = await TestEngines.GetAsync(kind);
        var failure = await Assert.ThrowsAsync<SolveFailedException>(() => OptionBuilds.RunAsync(
            engine, "true", request => request with { CacheTo = [ServiceCache(type, "http://127.0.0.1:1/")] }));
        Assert.Equal("BuildKit.CacheNotSupported", failure.ErrorId);
        Assert.DoesNotContain(Hush, failure.ToString(), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix, "s3", "AWS4-HMAC-SHA256 Credential=AKID/")]
    [InlineData(EngineKind.Docker28Containerd, "gha", "Bearer ")]
    public async Task CacheFromAServiceReachesItWithItsCredentials(EngineKind kind, string type, string authorization)
    {
        var engine = await TestEngines.GetAsync(kind);
        await using var service = new LoopbackHttp(_ => (404, ""));
        await OptionBuilds.RunAsync(engine, "true", request => request with { CacheFrom = [ServiceCache(type, service.Address)] });
        Assert.Contains(service.Requests, request => request.Authorization?.StartsWith(authorization, StringComparison.Ordinal) == true);
    }

    [SkippableFact]
    public async Task CacheToAServiceThatIsDownFailsWithoutShowingItsCredentials()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        using var closed = new ClosedPort();
        var failure = await Assert.ThrowsAsync<SolveFailedException>(() => OptionBuilds.RunAsync(engine, "true", request => request with { CacheTo = [ServiceCache("s3", closed.Address)] }));
        Assert.Contains("connection refused", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Hush, failure.ToString(), StringComparison.Ordinal);
    }

    private static SolveCache ServiceCache(string type, string address) => type switch
    {
        "s3" => Cache("s3", ("endpoint_url", address), ("use_path_style", "true"), ("region", "r"), ("bucket", "b"), ("access_key_id", "AKID"), ("secret_access_key", Hush)),
        "azblob" => Cache("azblob", ("account_url", address), ("account_name", "x"), ("secret_access_key", Hush)),
        _ => Cache("gha", ("url", address), ("token", Token())),
    };

    // The daemon reads the scopes out of the runner's token without checking who signed it.
    private static string Token() => string.Join('.', new[] { """{"alg":"none"}""", """{"exp":4102444800,"nbf":0,"ac":"[{\"Scope\":\"refs/heads/main\",\"Permission\":3}]"}""", "signed" }
        .Select(part => Convert.ToBase64String(Encoding.UTF8.GetBytes(part)).TrimEnd('=').Replace('+', '-').Replace('/', '_')));
}
