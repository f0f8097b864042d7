using BuildKit.Builders;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Builders;

/// <summary>Daemons that a program leads to: stand-ins for ssh, kubectl and podman connect to real ones.</summary>
public sealed class ProgramTransportTests
{
    private static readonly TimeSpan Guard = Poll.Patience;

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd, "ssh://me@engine-host:2222", BuildKitServerKind.DockerEngine)]
    [InlineData(EngineKind.BuildkitdUnix, "podman-container://the.builder", BuildKitServerKind.Buildkitd)]
    [InlineData(EngineKind.BuildkitdUnix, "kube-pod://pod-0?namespace=build&container=buildkitd", BuildKitServerKind.Buildkitd)]
    public async Task ABuildGoesThroughAProgram(EngineKind kind, string address, BuildKitServerKind expected)
    {
        var engine = await TestEngines.GetAsync(kind);
        await StandInPrograms.AddAsync("engine-host", kind == EngineKind.Docker28Containerd ? engine.Address.OriginalString : "");
        await StandInPrograms.AddAsync("the.builder", engine.Address.OriginalString);
        await StandInPrograms.AddAsync("pod-0", engine.Address.OriginalString);
        using var context = new BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY word /\n").Write("word", "through a program");
        await using var connection = await BuildKitConnection.ConnectAsync(BuildKitEndpoint.Parse(address)).WaitAsync(Guard);

        var request = new SolveRequest { Context = context.Path, Outputs = [new() { Type = "local", Destination = context.At("out") }] };
        await SolveOperation.RunAsync(connection, request, null, default).WaitAsync(Guard);

        Assert.Equal(expected, connection.Kind);
        Assert.Equal("through a program", await File.ReadAllTextAsync(context.At("out/word")));
    }

    [SkippableFact]
    public async Task SshIsGivenItsWordsOneByOneAndQuotesThoseOfTheOtherSide()
    {
        var buildkitd = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        await StandInPrograms.AddAsync("quoting", buildkitd.Address.OriginalString);
        var endpoint = BuildKitEndpoint.Parse("ssh://me@quoting:22/run/it's here; touch x/buildkitd.sock", null, BuildKitServerKind.Buildkitd);

        // buildctl is told of a socket that is not there, and says so.
        var error = await Assert.ThrowsAsync<ConnectionFailedException>(() => BuildKitConnection.ConnectAsync(endpoint).WaitAsync(Guard));

        Assert.Equal("BuildKit.ProgramFailed", error.ErrorId);
        Assert.Contains("it's here; touch x/buildkitd.sock", error.Message, StringComparison.Ordinal);
        Assert.Equal(
            ["-l", "me", "-p", "22", "-o", "ConnectTimeout=30", "-T", "--", "quoting", @"buildctl --addr 'unix:///run/it'\''s here; touch x/buildkitd.sock' dial-stdio"],
            StandInPrograms.Arguments("ssh"));
    }

    [SkippableTheory]
    [InlineData("ssh://nowhere.invalid", "exit code 255: ssh: Could not resolve hostname nowhere.invalid")]
    [InlineData("podman-container://gone", "exit code 125: Error: no container with name or ID \"gone\" found")]
    [InlineData("kube-pod://gone", "exit code 1: Error from server (NotFound): pods \"gone\" not found")]
    public async Task WhatTheProgramSaysIsTheError(string address, string words)
    {
        await StandInPrograms.AddAsync("ready", "");
        var error = await Assert.ThrowsAsync<ConnectionFailedException>(() => BuildKitConnection.ConnectAsync(BuildKitEndpoint.Parse(address)).WaitAsync(Guard));
        Assert.Equal("BuildKit.ProgramFailed", error.ErrorId);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Equal(address, error.Target);
        Assert.NotNull(error.RecommendedAction);
    }

    [Fact]
    public async Task AProgramThatIsNotThereIsNamed()
    {
        var transport = new ProgramTransport(new TransportTarget("ssh://host"), new HelperProgram("no-such-program", [], ""), Guard);
        var error = await Assert.ThrowsAsync<ConnectionFailedException>(() => transport.ConnectAsync(ApplicationProtocol.Http1, default).AsTask());
        Assert.Equal("BuildKit.ProgramNotFound", error.ErrorId);
        Assert.Contains("'no-such-program'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ssh://me:secret@host", "secret")]
    [InlineData("ssh://", null)]
    [InlineData("docker-container://", null)]
    [InlineData("docker-container://-it", null)]
    [InlineData("docker-container://b?contxt=c", null)]
    [InlineData("kube-pod://Pod", null)]
    [InlineData("kube-pod://pod?namespace=--all", null)]
    [InlineData("podman-container://b?context=c", null)]
    public void AnAddressThatCannotBeRightIsRefusedWithoutItsPassword(string address, string? secret)
    {
        var error = Assert.Throws<BuildKitException>(() => BuildKitEndpoint.Parse(address));
        Assert.Equal("BuildKit.InvalidEndpoint", error.ErrorId);
        if (secret is not null)
            Assert.DoesNotContain(secret, error.Message + error.Target, StringComparison.Ordinal);
    }
}
