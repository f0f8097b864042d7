using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve.Exporters;

/// <summary>What daemons refuse by themselves is answered with the table's advice.</summary>
public sealed class DaemonRefusalTests
{
    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd, "image", "rewrite-timestamp", "true", "BuildKit.OutputOptionsConflict", "-Output type=oci")]
    [InlineData(EngineKind.BuildkitdUnix, "oci", "compression", "zip", "BuildKit.OutputAttributeInvalid", "uncompressed, gzip, estargz, zstd")]
    [InlineData(EngineKind.Docker26Containerd, "docker", "compression", "zip", "BuildKit.OutputAttributeInvalid", "uncompressed, gzip, estargz, zstd")]
    [InlineData(EngineKind.BuildkitdUnix, "local", "platform-split", "false", "BuildKit.OutputFilesCollide", "platform-split=false", "linux/amd64", "linux/arm64")]
    [InlineData(EngineKind.BuildkitdUnix, "image", "name", "127.0.0.1:9/nobody/listens:1", "BuildKit.PushFailed", "registry")]
    [InlineData(EngineKind.Docker28Containerd, "registry", "name", "127.0.0.1:9/nobody/listens:1", "BuildKit.PushFailed", "registry")]
    public async Task ARefusalGetsAStableIdAndAdvice(
        EngineKind kind, string type, string attribute, string value, string errorId, string advice, params string[] platforms)
    {
        using var here = new BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
        var output = new SolveOutput
        {
            Type = type,
            Destination = type is "image" or "registry" ? null : Path.Combine(here.Path, "out"),
            Attributes = new Dictionary<string, string> { [attribute] = value },
        };
        var request = new SolveRequest { Context = here.Path, Outputs = [output], Platforms = platforms, Push = attribute == "name" };

        var failure = await FailAsync(kind, request);

        Assert.Equal(errorId, failure.ErrorId);
        Assert.Contains(advice, failure.RecommendedAction, StringComparison.Ordinal);
        Assert.False(Path.Exists(output.Destination));
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task AnIndexInADockerArchiveIsRefusedByTheDaemonToo(EngineKind kind)
    {
        using var here = new BuildContextDirectory().Write("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
        var request = new SolveRequest
        {
            Context = here.Path,
            Outputs = [new SolveOutput { Type = "docker", Destination = Path.Combine(here.Path, "out.tar") }],
            FrontendOptions = new Dictionary<string, string> { ["multi-platform"] = "true" },
        };
        Assert.Equal("BuildKit.ManifestListNotSupported", (await FailAsync(kind, request)).ErrorId);
    }

    private static async Task<SolveFailedException> FailAsync(EngineKind kind, SolveRequest request)
    {
        await using var connection = await ExporterEngines.ConnectAsync(kind);
        return await Assert.ThrowsAsync<SolveFailedException>(() => SolveOperation.RunAsync(connection, request, null, default).WaitAsync(TimeSpan.FromMinutes(2)));
    }
}
