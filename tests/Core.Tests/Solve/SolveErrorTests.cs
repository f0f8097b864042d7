using System.Text;
using System.Text.Json;
using BuildKit.Grpc;
using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Xunit;
using RpcStatus = BuildKit.Protocol.Rpc.Status;

namespace BuildKit.Tests.Solve;

public sealed class SolveErrorTests
{
    private const string Dockerfile = "FROM base:1\nRUN true\nRUN false\nRUN echo\nCMD x\n";

    private static RpcException Error(string message, params (string Type, object Json)[] details)
    {
        var status = new RpcStatus { Code = 2, Message = message };
        foreach (var (type, json) in details)
            status.Details.Add(new Any { TypeUrl = "github.com/moby/buildkit/" + type, Value = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(json)) });
        return new RpcException(new Status(StatusCode.Unknown, message), new Metadata { { "grpc-status-details-bin", status.ToByteArray() } });
    }

    private static SolveJournal Journal()
    {
        var journal = new SolveJournal();
        var now = DateTimeOffset.UnixEpoch;
        journal.Add(new SolveEvent(
            [new SolveVertex("sha256:a", [], "[2/3] RUN true", now, now, false, "", null), new SolveVertex("sha256:b", [], "[3/3] RUN false", now, now, false, "exit code: 1", null)],
            [], [new SolveVertexLog("sha256:b", 2, "one\ntwo\n"u8.ToArray(), now)], []));
        return journal;
    }

    [Fact]
    public void AFailedStepNamesItselfItsExitCodeItsLinesAndItsLastWords()
    {
        var error = Error(
            "process \"/bin/sh -c false\" did not complete successfully: exit code: 7",
            ("errdefs.Vertex+json", new { digest = "sha256:b" }),
            ("errdefs.Source+json", new
            {
                info = new { filename = "Dockerfile", data = Encoding.UTF8.GetBytes(Dockerfile) },
                ranges = new[] { new { start = new { line = 3 }, end = new { line = 3 } } },
            }),
            ("gatewayapi.ExitMessage+json", new { Code = 7 }));

        var failure = Assert.IsType<SolveFailedException>(SolveErrorReader.Read(error, Journal(), "ref", "builder", DaemonStore.Buildkitd));

        Assert.Equal("BuildKit.SolveFailed", failure.ErrorId);
        Assert.Equal("[3/3] RUN false", failure.Vertex);
        Assert.Equal(7, failure.ExitCode);
        Assert.Equal(["one", "two"], failure.Logs);
        Assert.Equal(3, failure.SourceLocation!.Ranges[0].StartLine);
        Assert.Contains("   3 | >>> RUN false", failure.Message, StringComparison.Ordinal);
        Assert.Contains("   2 |     RUN true", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DetailsThatAreNotJsonDoNotHideTheError()
    {
        var status = new RpcStatus { Details = { new Any { TypeUrl = "github.com/moby/buildkit/errdefs.Source+json", Value = ByteString.CopyFromUtf8("{") } } };
        var error = new RpcException(new Status(StatusCode.Unknown, "boom"), new Metadata { { "grpc-status-details-bin", status.ToByteArray() } });
        Assert.Contains("boom", SolveErrorReader.Read(error, new SolveJournal(), "ref", "builder", DaemonStore.Buildkitd).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exporter \"image\" could not be found", "BuildKit.ExporterNotFound")]
    [InlineData("target stage \"nope\" could not be found", "BuildKit.TargetNotFound")]
    [InlineData("dockerfile parse error on line 2: unknown instruction: RUNN", "BuildKit.DockerfileSyntax")]
    [InlineData("failed to compute cache key: failed to calculate checksum of ref x::y: \"/nope\": not found", "BuildKit.FileNotInContext")]
    [InlineData("failed to read dockerfile: open Dockerfile: no such file or directory", "BuildKit.DockerfileNotFound")]
    [InlineData("docker exporter does not currently support exporting manifest lists", "BuildKit.ManifestListNotSupported")]
    [InlineData("exporting multiple references to image store is currently unsupported", "BuildKit.MultiPlatformNotSupported")]
    [InlineData("exporter option \"rewrite-timestamp\" conflicts with \"unpack\"", "BuildKit.OutputOptionsConflict")]
    [InlineData("unsupported compression type nydus", "BuildKit.OutputAttributeInvalid")]
    [InlineData("can't push tagged ref docker.io/library/app:1 by digest", "BuildKit.PushByDigestTakesNoTag")]
    [InlineData("cannot overwrite a from linux/amd64 with linux/arm64 when split option is disabled", "BuildKit.OutputFilesCollide")]
    [InlineData("unknown cache exporter: \"registry\"", "BuildKit.CacheNotSupported")]
    [InlineData("failed to push h/a:1: failed to do request: Head \"https://h/v2/\": http: server gave HTTP response to HTTPS client", "BuildKit.RegistryNotTls")]
    [InlineData("failed to push h/a:1: failed to do request: dial tcp: connection refused", "BuildKit.PushFailed")]
    [InlineData("failed to push h/a:1: push access denied", "BuildKit.RegistryDenied")]
    [InlineData("write /x: no space left on device", "BuildKit.DaemonDiskFull")]
    [InlineData("something nobody has seen", "BuildKit.SolveFailed")]
    public void TheDaemonsWordsGetAStableId(string message, string errorId)
    {
        var failure = SolveErrorReader.Read(Error(message), new SolveJournal(), "ref", "builder", DaemonStore.Buildkitd);
        Assert.Equal(errorId, failure.ErrorId);
        Assert.False(string.IsNullOrEmpty(failure.RecommendedAction));
    }

    [Theory]
    [InlineData("exporter \"image\" could not be found", 0, "image, registry, docker, local, tar, cacheonly;")]
    [InlineData("exporter \"oci\" could not be found", 0, "containerd-snapshotter")]
    [InlineData("exporter \"moby\" could not be found", 2, "A standalone buildkitd has: image, registry, docker, oci, local, tar, cacheonly;")]
    [InlineData("exporter option \"rewrite-timestamp\" conflicts with \"unpack\"", 1, "-Output type=oci")]
    [InlineData("exporter option \"rewrite-timestamp\" conflicts with \"unpack\"", 2, "Leave out rewrite-timestamp, or change unpack.")]
    [InlineData("exporter option \"compression=zstd\" conflicts with \"oci-mediatypes=false\"", 1, "Leave out compression, or change oci-mediatypes.")]
    [InlineData("strconv.ParseBool: parsing \"x\": invalid syntax: non-bool value specified for platform-split", 2, "platform-split is true or false")]
    [InlineData("unsupported compression type nydus", 2, "uncompressed, gzip, estargz, zstd")]
    [InlineData("unknown cache exporter: \"registry\"", 0, "inline alone")]
    [InlineData("http: server gave HTTP response to HTTPS client", 1, "insecure-registries")]
    [InlineData("http: server gave HTTP response to HTTPS client", 2, "registry.insecure=true")]
    public void TheAdviceIsThatOfTheTableForThisDaemon(string message, int daemon, string advice) => Assert.Contains(
        advice, SolveErrorReader.Read(Error(message), new SolveJournal(), "ref", "builder", (DaemonStore)daemon).RecommendedAction, StringComparison.Ordinal);

    [Fact]
    public void ALostConnectionIsNotABuildFailure()
    {
        var failure = SolveErrorReader.Read(new RpcException(new Status(StatusCode.Unavailable, "reset")), new SolveJournal(), "ref", "unix:///x", DaemonStore.Buildkitd);
        Assert.Equal("BuildKit.ConnectionLost", failure.ErrorId);
        Assert.Equal(BuildKitErrorCategory.Connection, failure.Category);
    }

    [Fact]
    public void TheJournalKeepsTheEndOfALongLogInBoundedMemory()
    {
        var journal = new SolveJournal();
        for (var i = 0; i < 100_000; i++)
            journal.Add(new SolveEvent([], [], [new SolveVertexLog("v", 1, Encoding.UTF8.GetBytes($"line {i}\n"), default)], []));
        Assert.Equal(["line 99998", "line 99999"], journal.LastLines("v", 2));
        Assert.True(journal.LastLines("v", int.MaxValue).Count < 5_000);
    }

    [Fact]
    public void StepsComeInTheOrderOfTheirStartButNeverBeforeWhatTheyNeed()
    {
        var journal = new SolveJournal();
        var now = DateTimeOffset.UnixEpoch;
        journal.Add(new SolveEvent(
            [
                new SolveVertex("c", ["b"], "third", now, now, true, "", null), new SolveVertex("b", ["a"], "second", now, now, true, "", null),
                new SolveVertex("never", [], "never", null, null, false, "", null), new SolveVertex("a", ["unknown"], "first", now, now.AddSeconds(2), false, "", null),
            ],
            [], [], []));
        var steps = journal.Steps();
        Assert.Equal(["first", "second", "third", "never"], steps.Select(step => step.Name));
        Assert.Equal(TimeSpan.FromSeconds(2), steps[0].Duration);
    }
}
