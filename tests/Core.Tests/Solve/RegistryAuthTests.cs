using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Registries that want credentials, and where the docker config may have them.</summary>
public sealed class RegistryAuthTests
{
    public static TheoryData<EngineKind, EngineKind> Private => RegistryBuild.Cells(EngineKind.RegistryBasic, EngineKind.RegistryToken);

    [SkippableTheory]
    [MemberData(nameof(Private))]
    public async Task A_private_base_image_is_pulled_with_the_right_account_only(EngineKind kind, EngineKind registryKind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var registry = await TestEngines.GetAsync(registryKind);
        var image = await RegistryBuild.AddImageAsync(registry);
        using var build = new RegistryBuild();

        foreach (var account in new[] { null, RegistryAccount.Wrong })
        {
            var failure = await build.LogIn(registry, account).FailsAsync(engine, From(image));
            Assert.Equal((account, "BuildKit.RegistryDenied", BuildKitErrorCategory.PermissionDenied), (account, failure.ErrorId, failure.Category));
            Assert.Contains(registry.Address.Authority, failure.Message, StringComparison.Ordinal);
            Assert.Contains(RepositoryOf(image), failure.Message, StringComparison.Ordinal);
            Assert.Contains("docker login", failure.RecommendedAction, StringComparison.Ordinal);
        }

        var result = await build.LogIn(registry, RegistryAccount.Reader).RunAsync(engine, From(image));
        Assert.Contains(result.Steps, step => step.Name.EndsWith("RUN echo hi > /hi", StringComparison.Ordinal));

        if (registryKind == EngineKind.RegistryToken)
        {
            var repository = RepositoryOf(image);
            var asked = await AskedAsync(registry, repository);
            Assert.Contains($"GET nobody repository:{repository}:pull -> ", asked);
            Assert.Contains($"POST reader repository:{repository}:pull -> {repository}:pull", asked);
        }
        await build.AssertNoSecretAsync(engine);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task What_is_open_to_everybody_needs_no_credentials(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var registry = await TestEngines.GetAsync(EngineKind.RegistryToken);
        using var build = new RegistryBuild();
        await build.RunAsync(engine, From(await RegistryBuild.AddImageAsync(registry, "public/base")));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, "auth")]
    [InlineData(EngineKind.Docker28Graphdriver, "username")]
    [InlineData(EngineKind.Docker28Graphdriver, "legacy")]
    [InlineData(EngineKind.Docker28Graphdriver, "identitytoken")]
    [InlineData(EngineKind.Docker28Graphdriver, "registrytoken")]
    [InlineData(EngineKind.Docker28Graphdriver, "credsStore")]
    [InlineData(EngineKind.Docker28Graphdriver, "credHelpers")]
    [InlineData(EngineKind.Docker28Graphdriver, "credHelpers with token")]
    [InlineData(EngineKind.Docker20, "identitytoken")]
    [InlineData(EngineKind.Docker20, "credsStore")]
    [InlineData(EngineKind.Docker28Containerd, "identitytoken")]
    [InlineData(EngineKind.Docker28Containerd, "credHelpers")]
    [InlineData(EngineKind.BuildkitdUnix, "auth")]
    [InlineData(EngineKind.BuildkitdUnix, "username")]
    [InlineData(EngineKind.BuildkitdUnix, "legacy")]
    [InlineData(EngineKind.BuildkitdUnix, "identitytoken")]
    [InlineData(EngineKind.BuildkitdUnix, "registrytoken")]
    [InlineData(EngineKind.BuildkitdUnix, "credsStore")]
    [InlineData(EngineKind.BuildkitdUnix, "credHelpers")]
    [InlineData(EngineKind.BuildkitdUnix, "credHelpers with token")]
    public async Task Credentials_are_found_wherever_the_docker_config_has_them(EngineKind kind, string place)
    {
        var engine = await TestEngines.GetAsync(kind);
        var registry = await TestEngines.GetAsync(EngineKind.RegistryToken);
        var image = await RegistryBuild.AddImageAsync(registry);
        var (host, writer) = (registry.Address.Authority, RegistryAccount.Writer);
        // One repository, because a ready-made token is good for those that it names.
        var pushed = image[..^1] + "pushed";
        using var build = new RegistryBuild().WriteConfig(place switch
        {
            "auth" => RegistryBuild.Auths(registry, $$"""{"auth":"{{writer.Base64}}"}"""),
            "username" => RegistryBuild.Auths(registry, $$"""{"username":"{{writer.User}}","password":"{{writer.Password}}"}"""),
            "legacy" => RegistryBuild.Auths(registry, $$"""{"auth":"{{writer.Base64}}"}""").Replace(host, $"https://{host}/v1/", StringComparison.Ordinal),
            "identitytoken" => RegistryBuild.Auths(registry, $$"""{"identitytoken":"{{RegistryAccount.IdentityToken}}"}"""),
            "registrytoken" => RegistryBuild.Auths(registry, $$"""{"registrytoken":"{{await RegistryContent.TokenAsync(registry, RepositoryOf(image))}}"}"""),
            "credsStore" => $$"""{"credsStore":"{{StandInHelper.Create(host, writer.User, writer.Password)}}"}""",
            "credHelpers" => Helper(StandInHelper.Create(host, writer.User, writer.Password)),
            _ => Helper(StandInHelper.Create(host, "<token>", RegistryAccount.IdentityToken)),
        });

        var result = await build.RunAsync(engine, From(image) with { Tags = [pushed], Outputs = [RegistryBuild.PushedImage] });

        Assert.Equal(await RegistryContent.DigestAsync(registry, pushed), result.ImageDigest);
        await build.AssertNoSecretAsync(engine);

        // Another registry's helper must not be asked.
        string Helper(string name) => "{\"credsStore\":\"missing\",\"credHelpers\":{\"" + host + "\":\"" + name + "\"}}";
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task A_helper_that_fails_or_is_missing_is_named(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var registry = await TestEngines.GetAsync(EngineKind.RegistryBasic);
        var name = RegistryBuild.NewName(registry, "refused");
        var push = From(engine.BaseImage) with { Tags = [name], Outputs = [RegistryBuild.PushedImage] };
        using var build = new RegistryBuild();
        var failing = StandInHelper.CreateFailing(RegistryAccount.Writer.Password);
        foreach (var (helper, id) in new[] { (failing, "BuildKit.CredentialHelperFailed"), ("missing", "BuildKit.CredentialHelperNotFound") })
        {
            var failure = await build.WriteConfig($$"""{"credsStore":"{{helper}}"}""").FailsAsync(engine, push);
            Assert.Equal(id, failure.ErrorId);
            Assert.Contains($"docker-credential-{helper}", failure.Message, StringComparison.Ordinal);
            Assert.Contains(registry.Address.Authority, failure.Message, StringComparison.Ordinal);
        }
        await build.AssertNoSecretAsync(engine);
    }

    private static SolveRequest From(string image) => new()
    {
        DockerfileText = $"FROM {image}\nRUN echo hi > /hi\n",
        Outputs = [new SolveOutput { Type = "cacheonly" }],
    };

    private static string RepositoryOf(string image) => image[(image.IndexOf('/', StringComparison.Ordinal) + 1)..image.LastIndexOf(':')];

    /// <summary>What the token server was asked for a repository and what it granted, line by line.</summary>
    private static async Task<List<string>> AskedAsync(TestEngine registry, string repository) =>
        (await File.ReadAllLinesAsync(Path.Combine(registry.Folder, "tokens"))).Where(line => line.Contains($":{repository}:", StringComparison.Ordinal)).ToList();
}
