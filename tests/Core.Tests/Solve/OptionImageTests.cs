using System.Text.Json;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>The options of a build whose effect is in the image, on real daemons.</summary>
public sealed class OptionImageTests
{
    private const string Tiny = "FROM ${BASE} AS base\nFROM scratch\nCOPY --from=base /bin/busybox /b\nLABEL from=file\n";

    private static Func<SolveRequest, SolveRequest> Attest(params SolveAttestation[] attestations) => request => request with { Attestations = attestations };

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AnnotationIsWhereItsTypeSays(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var archive = await OciArchive.BuildAsync(engine, Tiny, request => request with
        {
            Platforms = ["amd64", "arm64"],
            DockerfileText = "FROM scratch\nLABEL a=b\n",
            Annotations = ["all=1", "index:top=2", "manifest[linux/aarch64]:arm=3", "manifest-descriptor[amd64]:entry=4", "index-descriptor:outer=5"],
        });
        var amd = archive.Manifests.Single(descriptor => Architecture(descriptor) == "amd64");
        var arm = archive.Manifests.Single(descriptor => Architecture(descriptor) == "arm64");
        Assert.Equal("1", OciArchive.Annotation(archive.Follow(amd), "all"));
        Assert.Equal("1", OciArchive.Annotation(archive.Follow(arm), "all"));
        Assert.Equal("2", OciArchive.Annotation(archive.Root, "top"));
        Assert.Equal("3", OciArchive.Annotation(archive.Follow(arm), "arm"));
        Assert.Null(OciArchive.Annotation(archive.Follow(amd), "arm"));
        Assert.Equal("4", OciArchive.Annotation(amd, "entry"));
        Assert.Null(OciArchive.Annotation(arm, "entry"));
        Assert.Equal("5", OciArchive.Annotation(archive.Index.GetProperty("manifests")[0], "outer"));
    }

    [SkippableFact]
    public async Task AnnotationOfAnIndexThatIsNotThereIsExplained()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        var refused = await Assert.ThrowsAsync<SolveFailedException>(() => OciArchive.BuildAsync(
            engine, Tiny, request => request with { Annotations = ["index:k=v"], Attestations = [new SolveAttestation { Type = "provenance", Disabled = true }] }));
        Assert.Equal("BuildKit.IndexAnnotationNotSupported", refused.ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task ProvenanceIsMinimalUnlessMoreOrNoneIsAskedFor(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var max = await OciArchive.BuildAsync(engine, Tiny, Attest(new SolveAttestation { Type = "provenance", Attributes = new Dictionary<string, string> { ["mode"] = "max", ["builder-id"] = "https://example.com/b" } }));
        var (type, predicate) = Assert.Single(max.Attestations);
        Assert.StartsWith("https://slsa.dev/provenance/", type, StringComparison.Ordinal);
        Assert.Contains("https://example.com/b", predicate.GetRawText(), StringComparison.Ordinal);
        // The steps of the build are in the full one alone.
        Assert.Contains("llbDefinition", predicate.GetRawText(), StringComparison.Ordinal);
        using var min = await OciArchive.BuildAsync(engine, Tiny, Attest(new SolveAttestation { Type = "provenance", Attributes = new Dictionary<string, string> { ["mode"] = "min" } }));
        Assert.DoesNotContain("llbDefinition", Assert.Single(min.Attestations).Value.GetRawText(), StringComparison.Ordinal);
        using var none = await OciArchive.BuildAsync(engine, Tiny, Attest(new SolveAttestation { Type = "provenance", Disabled = true }));
        Assert.False(none.Root.TryGetProperty("manifests", out _));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task SbomComesFromItsGenerator(EngineKind kind)
    {
        const string Scan = """
            FROM ${BASE}
            COPY <<"END" /scan
            #!/bin/sh
            echo '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3","name":"'$(ls $BUILDKIT_SCAN_SOURCE)'"}}' > $BUILDKIT_SCAN_DESTINATION/tiny.spdx.json
            END
            ENTRYPOINT ["/bin/sh", "/scan"]
            """;
        var engine = await TestEngines.GetAsync(kind);
        var generator = await OptionBuilds.PushAsync("generator", Scan);
        using var archive = await OciArchive.BuildAsync(
            engine, Tiny, Attest(new SolveAttestation { Type = "sbom", Attributes = new Dictionary<string, string> { ["generator"] = generator } }));
        Assert.Equal("b", archive.Attestations["https://spdx.dev/Document"].GetProperty("name").GetString());
    }

    [SkippableFact]
    public async Task AttestIsRefusedByTheClassicStoreInWords()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var refused = await Assert.ThrowsAsync<BuildKitException>(() => OptionBuilds.BuildAsync(engine, Tiny, Attest(new SolveAttestation { Type = "sbom" })));
        Assert.Equal("BuildKit.AttestationsNotSupported", refused.ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task SourceDateEpochStandsInTheImage(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var archive = await OciArchive.BuildAsync(engine, Tiny, request => request with
        {
            SourceDateEpoch = "1600000000",
            Attestations = [new SolveAttestation { Type = "provenance", Disabled = true }],
        });
        Assert.Equal("2020-09-13T12:26:40Z", Config(archive).GetProperty("created").GetString());
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task LabelWinsOverTheFiles(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var archive = await OciArchive.BuildAsync(engine, Tiny, request => request with
        {
            Labels = new Dictionary<string, string> { ["from"] = "option", ["other"] = "a=b, \"c\"" },
            Attestations = [new SolveAttestation { Type = "provenance", Disabled = true }],
        });
        var labels = Config(archive).GetProperty("config").GetProperty("Labels");
        Assert.Equal("option", labels.GetProperty("from").GetString());
        Assert.Equal("a=b, \"c\"", labels.GetProperty("other").GetString());
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task PlatformThatTheBuilderCannotRunIsBuiltWhereNoStepNeedsIt(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        const string Cross = "FROM --platform=$BUILDPLATFORM ${BASE} AS cross\nARG TARGETPLATFORM\nRUN echo for $TARGETPLATFORM > /for\nFROM scratch\nCOPY --from=cross /for /\n";
        using var archive = await OciArchive.BuildAsync(engine, Cross, request => request with
        {
            Platforms = ["s390x", "linux/arm64"],
            Attestations = [new SolveAttestation { Type = "provenance", Disabled = true }],
        });
        Assert.Equal(["arm64", "s390x"], archive.Manifests.Select(Architecture).Order());
    }

    [SkippableFact]
    public async Task BuildArgMakesAnIndexOfOnePlatform()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        using var archive = await OciArchive.BuildAsync(engine, Tiny, request => request.WithArgs(("BUILDKIT_MULTI_PLATFORM", "1")) with
        {
            Attestations = [new SolveAttestation { Type = "provenance", Disabled = true }],
        });
        Assert.Single(archive.Manifests);
    }

    private static string? Architecture(JsonElement descriptor) => descriptor.GetProperty("platform").GetProperty("architecture").GetString();

    private static JsonElement Config(OciArchive archive) => archive.Follow(archive.Root.GetProperty("config"));
}
