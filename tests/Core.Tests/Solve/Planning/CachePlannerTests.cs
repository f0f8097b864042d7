using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using Xunit;

namespace BuildKit.Tests.Solve.Planning;

public sealed class CachePlannerTests
{
    private static SolveCache Cache(string type, params (string Name, string Value)[] attributes) =>
        new() { Type = type, Attributes = attributes.ToDictionary(attribute => attribute.Name, attribute => attribute.Value) };

    private static SolveRequest From(params SolveCache[] caches) => Plans.Request with { CacheFrom = caches };

    private static SolveRequest To(params SolveCache[] caches) => Plans.Request with { CacheTo = caches };

    [Fact]
    public async Task CacheFromGoesToTheFrontendToo()
    {
        await using var plan = await From(Cache("registry", ("ref", "x/y:1")), Cache("azblob", ("name", "n"), ("account_url", "u"))).PlanAsync();
        Assert.Equal(["registry", "azblob"], plan.CacheImports.Select(cache => cache.Type));
        Assert.Equal(
            """[{"Type":"registry","Attrs":{"ref":"x/y:1"}},{"Type":"azblob","Attrs":{"account_url":"u","name":"n"}}]""", plan.FrontendAttributes["cache-imports"]);
    }

    [Fact]
    public async Task CacheToKeepsItsAttributes()
    {
        await using var plan = await To(Cache("registry", ("ref", "x/y:1"), ("mode", "max")), Cache("inline")).PlanAsync();
        Assert.Equal(["registry", "inline"], plan.CacheExports.Select(cache => cache.Type));
        Assert.Equal("max", plan.CacheExports[0].Attributes["mode"]);
        Assert.False(plan.FrontendAttributes.ContainsKey("cache-imports"));
    }

    [Theory]
    [InlineData("registry", "mode", "max")]
    [InlineData("local", "tag", "x")]
    public async Task CacheWithoutItsPlaceIsRefused(string type, string name, string value)
    {
        await From(Cache(type, (name, value))).RefusesAsync("BuildKit.InvalidCache");
        await To(Cache(type, (name, value))).RefusesAsync("BuildKit.InvalidCache");
    }

    [Fact]
    public Task CacheToOfAnUnknownModeIsRefused() => To(Cache("registry", ("ref", "x"), ("mode", "MAX"))).RefusesAsync("BuildKit.InvalidCache");

    [Fact]
    public Task CacheFromInlineIsRefused() => From(Cache("inline")).RefusesAsync("BuildKit.InvalidCache");

    [Fact]
    public async Task CacheToNeedsAStoreThatCanExportUnlessItIsInline()
    {
        var classic = Plans.Daemon(DaemonStore.EngineGraphdriver);
        var error = await To(Cache("registry", ("ref", "x"))).RefusesAsync("BuildKit.CacheExportNotSupported", classic);
        Assert.Contains("type=inline", error.RecommendedAction, StringComparison.Ordinal);
        await using var inline = await To(Cache("inline")).PlanAsync(classic);
        Assert.Single(inline.CacheExports);
    }

    [Fact]
    public async Task CacheToInlineIsThereOnce()
    {
        await using var plan = await (To(Cache("inline")) with { BuildArgs = new Dictionary<string, string> { ["BUILDKIT_INLINE_CACHE"] = "1" } }).PlanAsync();
        Assert.Single(plan.CacheExports);
    }

    [Fact]
    public async Task GhaIsLeftOutWhereItsServiceIsUnknown()
    {
        await using var plan = await (From(Cache("gha")) with { CacheTo = [Cache("gha", ("mode", "max"))] }).PlanAsync();
        Assert.Empty(plan.CacheImports);
        Assert.Empty(plan.CacheExports);
        Assert.Equal(2, plan.Warnings.Count);
        Assert.False(plan.FrontendAttributes.ContainsKey("cache-imports"));
    }

    [Fact]
    public async Task GhaTakesWhatTheRunnerTells()
    {
        (string, string)[] runner = [("ACTIONS_RUNTIME_TOKEN", "tok"), ("ACTIONS_RESULTS_URL", "https://results/"), ("ACTIONS_CACHE_URL", "https://cache/")];
        await using var first = await From(Cache("gha", ("scope", "s"))).PlanAsync(Plans.Daemon(DaemonStore.Buildkitd, runner));
        Assert.Equal(Cache("gha", ("scope", "s"), ("token", "tok"), ("url", "https://cache/")).Attributes, Assert.Single(first.CacheImports).Attributes);
        await using var second = await From(Cache("gha", ("token", "mine"))).PlanAsync(Plans.Daemon(DaemonStore.Buildkitd, [.. runner, ("ACTIONS_CACHE_SERVICE_V2", "true")]));
        Assert.Equal(Cache("gha", ("token", "mine"), ("url_v2", "https://results/"), ("url", "https://cache/")).Attributes, Assert.Single(second.CacheImports).Attributes);
    }

    [Fact]
    public async Task S3TakesTheVariablesBeforeTheFiles()
    {
        using var folder = new BuildContextDirectory().Write("credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = filesecret\n");
        (string, string)[] variables =
        [
            ("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_SESSION_TOKEN", "session"), ("AWS_SHARED_CREDENTIALS_FILE", folder.At("credentials")),
        ];
        await using var plan = await From(Cache("s3", ("bucket", "b"))).PlanAsync(Plans.Daemon(DaemonStore.Buildkitd, variables));
        Assert.Equal(
            Cache("s3", ("bucket", "b"), ("access_key_id", "AKID"), ("secret_access_key", "secret"), ("session_token", "session")).Attributes, plan.CacheImports[0].Attributes);
        // Keys of one's own are not mixed with somebody else's session.
        await using var own = await From(Cache("s3", ("access_key_id", "a"), ("secret_access_key", "s"))).PlanAsync(Plans.Daemon(DaemonStore.Buildkitd, variables));
        Assert.False(own.CacheImports[0].Attributes.ContainsKey("session_token"));
    }

    [Theory]
    [InlineData(null, "FILE", "filesecret")]
    [InlineData("work", "WORK", "worksecret")]
    [InlineData("conf", "CONF", "confsecret")]
    [InlineData("nobody", null, null)]
    public async Task S3ReadsTheProfileOfTheSharedFiles(string? profile, string? id, string? secret)
    {
        using var folder = new BuildContextDirectory()
            .Write("credentials", """
                # comment
                [default]
                aws_access_key_id = FILE
                aws_secret_access_key=filesecret

                [ work ]
                AWS_Access_Key_Id = WORK
                aws_secret_access_key = worksecret
                """)
            .Write("config", "[default]\nregion = x\n[profile conf]\naws_access_key_id = CONF\naws_secret_access_key = confsecret\n");
        List<(string, string)> variables = [("AWS_SHARED_CREDENTIALS_FILE", folder.At("credentials")), ("AWS_CONFIG_FILE", folder.At("config"))];
        if (profile is not null)
            variables.Add(("AWS_PROFILE", profile));
        await using var plan = await To(Cache("s3", ("bucket", "b"))).PlanAsync(Plans.Daemon(DaemonStore.Buildkitd, [.. variables]));
        Assert.Equal(id, plan.CacheExports[0].Attributes.GetValueOrDefault("access_key_id"));
        Assert.Equal(secret, plan.CacheExports[0].Attributes.GetValueOrDefault("secret_access_key"));
    }

    [Fact]
    public async Task WhatAnOldDaemonDoesNotKnowIsLeftOut()
    {
        await using var plan = await From(Cache("s3", ("bucket", "b")), Cache("registry", ("ref", "x"))).PlanAsync(Plans.OldEngine);
        Assert.Equal("registry", Assert.Single(plan.CacheImports).Type);
        Assert.Contains("type=s3", Assert.Single(plan.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void ACacheShowsNoCredentialInItsText() =>
        Assert.DoesNotContain("hush", Cache("s3", ("secret_access_key", "hush")).ToString(), StringComparison.Ordinal);
}
