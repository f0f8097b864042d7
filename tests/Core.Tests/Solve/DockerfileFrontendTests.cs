using BuildKit.Solve;
using Xunit;

namespace BuildKit.Tests.Solve;

public sealed class DockerfileFrontendTests : IDisposable
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
    public void ADirectoryServesContextAndDockerfile()
    {
        Write("Dockerfile");
        var plan = DockerfileFrontend.Plan(new SolveRequest { Context = _directory.FullName }, DaemonStore.Buildkitd);
        Assert.Equal(["context", "dockerfile"], plan.Sources.Select(source => source.Name).Order());
        Assert.Equal("Dockerfile", plan.Attributes["filename"]);
    }

    [Fact]
    public void ADockerfileMayLieOutsideTheContext()
    {
        var dockerfile = Write("elsewhere/my.Dockerfile");
        var context = _directory.CreateSubdirectory("context").FullName;
        var plan = DockerfileFrontend.Plan(new SolveRequest { Context = context, Dockerfile = dockerfile }, DaemonStore.Buildkitd);
        Assert.Equal("my.Dockerfile", plan.Attributes["filename"]);
    }

    [Fact]
    public void TheLowerCaseNameIsFoundToo()
    {
        Write("dockerfile");
        Assert.Equal("dockerfile", DockerfileFrontend.Plan(new SolveRequest { Context = _directory.FullName }, DaemonStore.Buildkitd).Attributes["filename"]);
    }

    [Theory]
    [InlineData("https://example.com/repo.git#main:sub")]
    [InlineData("git@example.com:org/repo.git")]
    [InlineData("github.com/org/repo")]
    [InlineData("HTTPS://example.com/context.tar.gz")]
    [InlineData("ssh://git@example.com/repo.git")]
    public void AUrlIsLeftToTheDaemon(string context)
    {
        var plan = DockerfileFrontend.Plan(new SolveRequest { Context = context, Dockerfile = "docker/Dockerfile" }, DaemonStore.Buildkitd);
        Assert.Empty(plan.Sources);
        Assert.Equal(context, plan.Attributes["context"]);
        Assert.Equal("docker/Dockerfile", plan.Attributes["filename"]);
    }

    [Fact]
    public void TextNeedsNoContext()
    {
        var plan = DockerfileFrontend.Plan(new SolveRequest { DockerfileText = "FROM scratch" }, DaemonStore.Buildkitd);
        Assert.Equal(["context", "dockerfile"], plan.Sources.Select(source => source.Name).Order());
    }

    [Fact]
    public void OptionsTakeTheFrontendsNames()
    {
        Write("Dockerfile");
        var plan = DockerfileFrontend.Plan(
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
        Assert.Equal("build", plan.Attributes["target"]);
        Assert.Equal("1", plan.Attributes["build-arg:A"]);
        Assert.Equal("2", plan.Attributes["label:l"]);
        Assert.Equal("linux/amd64,linux/arm64", plan.Attributes["platform"]);
        Assert.Equal("", plan.Attributes["no-cache"]);
        Assert.Equal("pull", plan.Attributes["image-resolve-mode"]);
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        Assert.Equal("BuildKit.DockerfileNotFound", Fails(new SolveRequest { Context = _directory.FullName }));
        Assert.Equal("BuildKit.ContextNotFound", Fails(new SolveRequest { Context = _directory.FullName + "/nope" }));
        Assert.Equal("BuildKit.ContextNotDirectory", Fails(new SolveRequest { Context = Write("file") }));
        Assert.Equal("BuildKit.DockerfileNotFound", Fails(new SolveRequest()));
    }

    private static string Fails(SolveRequest request) =>
        Assert.Throws<BuildKitException>(() => DockerfileFrontend.Plan(request, DaemonStore.Buildkitd)).ErrorId;
}
