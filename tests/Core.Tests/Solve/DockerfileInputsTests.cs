using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class DockerfileInputsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("frontend");

    public void Dispose() => _directory.Delete(recursive: true);

    private string Write(string name, string text = "FROM scratch\n")
    {
        var path = Path.Combine(_directory.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public async Task ADirectoryServesContextAndDockerfile()
    {
        Write("Dockerfile");
        var plan = await PlanAsync(new SolveRequest { Context = _directory.FullName });
        Assert.Equal(["context", "dockerfile"], plan.Sources.Select(source => source.Name).Order());
        Assert.Equal("Dockerfile", plan.FrontendAttributes["filename"]);
    }

    [Fact]
    public async Task ADockerfileMayLieOutsideTheContext()
    {
        var dockerfile = Write("elsewhere/my.Dockerfile");
        var context = _directory.CreateSubdirectory("context").FullName;
        var plan = await PlanAsync(new SolveRequest { Context = context, Dockerfile = dockerfile });
        Assert.Equal("my.Dockerfile", plan.FrontendAttributes["filename"]);
    }

    [Fact]
    public async Task TheLowerCaseNameIsFoundToo()
    {
        Write("dockerfile");
        Assert.Equal("dockerfile", (await PlanAsync(new SolveRequest { Context = _directory.FullName })).FrontendAttributes["filename"]);
    }

    [Theory]
    [InlineData("https://example.com/repo.git#main:sub")]
    [InlineData("git@example.com:org/repo.git")]
    [InlineData("github.com/org/repo")]
    [InlineData("HTTPS://example.com/context.tar.gz")]
    [InlineData("ssh://git@example.com/repo.git")]
    public async Task AUrlIsLeftToTheDaemon(string context)
    {
        var plan = await PlanAsync(new SolveRequest { Context = context, Dockerfile = "docker/Dockerfile" });
        Assert.Empty(plan.Sources);
        Assert.Equal(context, plan.FrontendAttributes["context"]);
        Assert.Equal("docker/Dockerfile", plan.FrontendAttributes["filename"]);
    }

    [Fact]
    public async Task AnArchiveIsReadFromAnAddressOfTheSession()
    {
        var archive = new MemoryStream();
        using (var writer = new System.Formats.Tar.TarWriter(archive, leaveOpen: true))
            writer.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.Directory, "d"));
        archive.Position = 0;
        await using var plan = await PlanAsync(new SolveRequest { ContextArchive = archive, Dockerfile = "docker/Dockerfile" });
        Assert.StartsWith("http://buildkit-session/", plan.FrontendAttributes["context"], StringComparison.Ordinal);
        Assert.Equal("docker/Dockerfile", plan.FrontendAttributes["filename"]);
        Assert.DoesNotContain("dockerfilekey", plan.FrontendAttributes.Keys);
        Assert.Empty(plan.Sources);
        Assert.Null(plan.SharedKeyPath);
        Assert.Contains("/moby.upload.v1.Upload/Pull", Assert.Single(plan.Services).Definition.MethodNames);
    }

    [Fact]
    public async Task TextNeedsNoContext()
    {
        var plan = await PlanAsync(new SolveRequest { DockerfileText = "FROM scratch" });
        Assert.Equal(["context", "dockerfile"], plan.Sources.Select(source => source.Name).Order());
    }

    [Fact]
    public async Task OptionsTakeTheFrontendsNames()
    {
        Write("Dockerfile");
        var plan = await PlanAsync(
            new SolveRequest
            {
                Context = _directory.FullName,
                Target = "build",
                BuildArgs = new Dictionary<string, string> { ["A"] = "1" },
                Labels = new Dictionary<string, string> { ["l"] = "2" },
                Platforms = ["linux/amd64", "linux/arm64"],
                NoCache = true,
                Pull = true,
            },
            DaemonStore.EngineContainerd);
        Assert.Equal("build", plan.FrontendAttributes["target"]);
        Assert.Equal("1", plan.FrontendAttributes["build-arg:A"]);
        Assert.Equal("2", plan.FrontendAttributes["label:l"]);
        Assert.Equal("linux/amd64,linux/arm64", plan.FrontendAttributes["platform"]);
        Assert.Equal("", plan.FrontendAttributes["no-cache"]);
        Assert.Equal("pull", plan.FrontendAttributes["image-resolve-mode"]);
    }

    [Fact]
    public async Task WhatIsMissingIsNamed()
    {
        Assert.Equal("BuildKit.DockerfileNotFound", await FailsAsync(new SolveRequest { Context = _directory.FullName }));
        Assert.Equal("BuildKit.ContextNotFound", await FailsAsync(new SolveRequest { Context = _directory.FullName + "/nope" }));
        Assert.Equal("BuildKit.ContextNotDirectory", await FailsAsync(new SolveRequest { Context = Write("file") }));
        Assert.Equal("BuildKit.DockerfileNotFound", await FailsAsync(new SolveRequest()));
    }

    private static async Task<SolvePlan> PlanAsync(SolveRequest request, DaemonStore store = DaemonStore.Buildkitd)
    {
        var plan = new SolvePlan();
        var daemon = new SolveDaemon(store);
        await DockerfileInputs.AddToAsync(plan, request, daemon, default);
        FrontendOptions.AddTo(plan, request, daemon);
        return plan;
    }

    private static async Task<string> FailsAsync(SolveRequest request) =>
        (await Assert.ThrowsAsync<BuildKitException>(() => PlanAsync(request))).ErrorId;
}
