using BuildKit.Solve;
using BuildKit.Solve.Planning;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class GitInfoTests
{
    private static async Task GitAsync(string directory, params string[] arguments) => (await CommandResult.RunAsync(
        "git", ["-C", directory, "-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "init.defaultBranch=main", .. arguments])).OutputOrThrow();

    private static async Task<BuildContextDirectory> RepositoryAsync(params string[][] commands)
    {
        Skip.If(GitProgram.Find() is null, "There is no git here.");
        var repository = new BuildContextDirectory().Write("app/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n").Write("Dockerfile", "FROM scratch\n");
        await GitAsync(repository.Path, "init", "-q");
        foreach (var command in commands)
            await GitAsync(repository.Path, command);
        return repository;
    }

    private static readonly GitSettings Default = new(Info: true, Labels: false, CheckDirty: false);

    private static async Task<Dictionary<string, string>> AttributesAsync(string context, GitSettings? settings = null)
    {
        var plan = new SolvePlan();
        var request = new SolveRequest { Context = context };
        await DockerfileInputs.AddToAsync(plan, request, new SolveDaemon(BuildKit.Solve.Exporters.DaemonStore.Buildkitd), default);
        plan.FrontendAttributes.Clear();
        await GitInfo.AddToAsync(plan, request, settings ?? Default, default);
        Assert.Empty(plan.Warnings);
        return plan.FrontendAttributes;
    }

    [SkippableTheory]
    [InlineData("git@example.org:team/app.git", "git@example.org:team/app.git")]
    [InlineData("https://me:pa:s@s@example.org:8443/team/app.git?x=a@b", "https://example.org:8443/team/app.git?x=a@b")]
    public async Task TheProvenanceSaysWhatBuildxsDoes(string remote, string expected)
    {
        using var repository = await RepositoryAsync(["add", "."], ["commit", "-qm", "one"], ["remote", "add", "origin", remote]);
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        using var files = new BuildContextDirectory();
        await using var connection = await EngineConnection.ConnectAsync(engine);
        (await Buildx.BuildAsync(engine, ["BUILDX_METADATA_PROVENANCE=max"], "-o", "type=cacheonly", "--metadata-file", files.At("m.json"), repository.At("app"))).OutputOrThrow();
        using var theirs = System.Text.Json.JsonDocument.Parse(await File.ReadAllBytesAsync(files.At("m.json")));

        var result = await SolveOperation.RunAsync(
            connection, new SolveRequest { Context = repository.At("app"), Outputs = [new SolveOutput { Type = "cacheonly" }] }, null, default);

        var vcs = Assert.Single(result.Provenance).Vcs;
        Assert.Equal(expected, vcs["source"]);
        Assert.Matches("^[0-9a-f]{40}$", vcs["revision"]);
        Assert.Equal("app", vcs["localdir:context"]);
        Assert.Equal(
            theirs.RootElement.GetProperty("buildx.build.provenance").GetProperty("metadata").GetProperty("https://mobyproject.org/buildkit@v1#metadata").GetProperty("vcs")
                .EnumerateObject().ToDictionary(member => member.Name, member => member.Value.GetString()!),
            vcs.ToDictionary());
    }

    [SkippableFact]
    public async Task ARepositoryWithoutCommitsOrRemotesHasItsPlacesAlone()
    {
        using var repository = await RepositoryAsync();
        Assert.Equal(
            new Dictionary<string, string> { ["vcs:localdir:context"] = "app", ["vcs:localdir:dockerfile"] = "app" }, await AttributesAsync(repository.At("app")));
        Assert.Equal(".", (await AttributesAsync(repository.Path + "/app/.."))["vcs:localdir:context"]);
    }

    [SkippableFact]
    public async Task TheRemoteIsTheBranchesOwnOrOriginOrUpstream()
    {
        using var repository = await RepositoryAsync(["add", "."], ["commit", "-qm", "one"], ["remote", "add", "mine", "/srv/mine.git"]);
        Assert.DoesNotContain("vcs:source", await AttributesAsync(repository.Path));
        await GitAsync(repository.Path, "remote", "add", "upstream", "/srv/upstream.git");
        Assert.Equal("/srv/upstream.git", (await AttributesAsync(repository.Path))["vcs:source"]);
        await GitAsync(repository.Path, "remote", "add", "origin", "x:repo.git");
        await GitAsync(repository.Path, "config", "url.https://me:secret@example.org/.insteadOf", "x:");
        Assert.Equal("https://example.org/repo.git", (await AttributesAsync(repository.Path))["vcs:source"]);
        await GitAsync(repository.Path, "config", "branch.main.remote", "mine");
        await GitAsync(repository.Path, "config", "branch.main.merge", "refs/heads/main");
        Assert.Equal("/srv/mine.git", (await AttributesAsync(repository.Path))["vcs:source"]);
    }

    [SkippableFact]
    public async Task LabelsAreSetWhereTheyAreAskedFor()
    {
        using var repository = await RepositoryAsync(["add", "."], ["commit", "-qm", "one"], ["remote", "add", "origin", "https://me:secret@example.org/x"]);
        var labels = await AttributesAsync(repository.At("app"), new GitSettings(Info: false, Labels: true, CheckDirty: true));
        Assert.Equal(
            ["label:com.docker.image.source.entrypoint", "label:org.opencontainers.image.revision", "label:org.opencontainers.image.source"], labels.Keys.Order());
        Assert.Equal("app/Dockerfile", labels["label:com.docker.image.source.entrypoint"]);
        Assert.Equal("https://example.org/x", labels["label:org.opencontainers.image.source"]);
        Assert.Matches("^[0-9a-f]{40}$", labels["label:org.opencontainers.image.revision"]);
        Assert.Empty(await AttributesAsync(repository.At("app"), new GitSettings(Info: false, Labels: false, CheckDirty: false)));
    }

    [Theory]
    [InlineData(null, null, null, true, false, false)]
    [InlineData("0", "full", "1", false, true, true)]
    [InlineData("nonsense", "true", "nonsense", true, true, false)]
    [InlineData("false", "0", "F", false, false, false)]
    public void TheEnvironmentIsReadAsBuildxReadsIt(string? info, string? labels, string? dirty, bool expectInfo, bool expectLabels, bool expectDirty) => Assert.Equal(
        new GitSettings(expectInfo, expectLabels, expectDirty),
        GitSettings.Read(name => name switch { "BUILDX_GIT_INFO" => info, "BUILDX_GIT_LABELS" => labels, "BUILDX_GIT_CHECK_DIRTY" => dirty, _ => null }));

    [SkippableFact]
    public async Task ALinkIntoAWorkTreeIsFollowed()
    {
        using var repository = await RepositoryAsync(["add", "."], ["commit", "-qm", "one"]);
        using var elsewhere = new BuildContextDirectory();
        Directory.CreateSymbolicLink(elsewhere.At("link"), repository.At("app"));
        Assert.Equal("app", (await AttributesAsync(elsewhere.At("link")))["vcs:localdir:context"]);
    }

    [SkippableFact]
    public async Task OutsideOfAWorkTreeNothingIsAsked()
    {
        using var directory = new BuildContextDirectory().Write("Dockerfile", "FROM scratch\n");
        Assert.False(GitWorkTree.IsLikely(directory.Path));
        Assert.Empty(await AttributesAsync(directory.Path));
    }

    [SkippableFact]
    public async Task ChangesAreMarkedWhereThatIsAsked()
    {
        using var repository = await RepositoryAsync(["add", "."], ["commit", "-qm", "one"]);
        var clean = await GitWorkTree.FindAsync(repository.Path, checkDirty: true, default);
        repository.Write("app/new", "");
        var dirty = await GitWorkTree.FindAsync(repository.Path, checkDirty: true, default);
        Assert.Equal(clean!.Revision + "-dirty", dirty!.Revision);
        Assert.Equal(clean.Revision, (await GitWorkTree.FindAsync(repository.Path, checkDirty: false, default))!.Revision);
    }

    [SkippableFact]
    public async Task ARepositoryThatGitRefusesIsAWarning()
    {
        using var repository = await RepositoryAsync();
        File.WriteAllText(repository.At(".git/config"), "[core\n");
        var plan = new SolvePlan();
        await GitInfo.AddToAsync(plan, new SolveRequest { Context = repository.Path }, Default, default);
        Assert.Contains("bad config", Assert.Single(plan.Warnings), StringComparison.Ordinal);
        Assert.Empty(plan.FrontendAttributes);
    }

    [Theory]
    [InlineData("ssh://git@example.org:22/x", "ssh://example.org:22/x")]
    [InlineData("https://[::1]:80/a@b", "https://[::1]:80/a@b")]
    [InlineData("https://example.org/a@b", "https://example.org/a@b")]
    [InlineData("https://me:pass/word@example.org/x", null)]
    [InlineData("file:///srv/x", "file:///srv/x")]
    [InlineData("../sibling", "../sibling")]
    public void CredentialsAreNeverSent(string url, string? expected) => Assert.Equal(expected, GitWorkTree.WithoutCredentials(url));
}
