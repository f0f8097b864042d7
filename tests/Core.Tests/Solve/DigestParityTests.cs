using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>The same Dockerfile with the same options, built by docker buildx and by us: the same bytes come out.</summary>
public sealed class DigestParityTests
{
    private const string Epoch = "1700000000";

    // No emulation is needed: what is executed is executed for the builder's own platform.
    private const string Dockerfile = """
        ARG BASE
        FROM --platform=$BUILDPLATFORM ${BASE} AS build
        ARG TARGETARCH
        COPY in.txt /in
        RUN mkdir -p /tree/deep && tr a-z A-Z < /in > /tree/deep/out && echo $TARGETARCH > /tree/arch && ln -s deep/out /tree/link
        FROM scratch
        COPY --from=build /tree /tree
        COPY --chmod=640 in.txt /in
        ENV WHO="a b"
        LABEL org.example.label=label
        CMD ["/in"]
        """;

    public static TheoryData<EngineKind, string> Cells()
    {
        var cells = new TheoryData<EngineKind, string>();
        foreach (var name in ParityCase.All.Keys)
            cells.Add(EngineKind.BuildkitdUnix, name);
        // Not estargz: Docker 28.5.2 as Debian builds it falls over it, whoever asks ("panic: footer buffer = 48, not 51").
        foreach (var name in ParityCase.All.Keys.Where(name => name.StartsWith("image", StringComparison.Ordinal)
            || name is "oci file" or "oci file, two platforms, annotated" or "oci file, zstd" or "oci file, uncompressed" or "docker file" or "tar" or "local, two platforms"))
            cells.Add(EngineKind.Docker28Containerd, name);
        foreach (var name in new[] { "image", "tar", "local" })
            cells.Add(EngineKind.Docker28Graphdriver, name);
        foreach (var name in new[] { "image, two platforms", "oci file, two platforms, annotated" })
            cells.Add(EngineKind.Docker26Containerd, name);
        cells.Add(EngineKind.Docker26, "image");
        return cells;
    }

    [SkippableTheory]
    [MemberData(nameof(Cells))]
    public async Task Both_tools_make_the_same(EngineKind kind, string name)
    {
        var engine = await TestEngines.GetAsync(kind);
        var parity = engine.IsDocker ? ParityCase.All[name].ForEngine() : ParityCase.All[name];
        using var context = new BuildContextDirectory().Write("Dockerfile", Dockerfile).Write("in.txt", "hello " + name);
        using var outputs = new BuildContextDirectory();
        // Where file times are not rewritten, the second build takes the steps of the first from the cache.
        var isTimeless = parity.Attributes.Contains(("rewrite-timestamp", "true"));

        var theirs = await Buildx.BuildWithMetadataAsync(engine, BuildxArguments(parity, engine, context.Path, Path.Combine(outputs.Path, "theirs"), isTimeless));
        var request = Request(parity, engine, context.Path, Path.Combine(outputs.Path, "ours")) with { NoCache = isTimeless };
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var ours = await SolveOperation.RunAsync(connection, request, null, default);

        if (parity.Type is "image" or "oci" or "docker")
            Assert.StartsWith("sha256:", ours.ImageDigest, StringComparison.Ordinal);
        Assert.Equal(Text(theirs, "containerimage.digest"), ours.ImageDigest);
        if (Text(theirs, "containerimage.config.digest") is { } config)
            Assert.Equal(config, ours.ConfigDigest);
        if (parity.HasDestination)
            Assert.Equal(await ContentAsync(parity, Path.Combine(outputs.Path, "theirs")), await ContentAsync(parity, Path.Combine(outputs.Path, "ours")));
    }

    /// <summary>An Engine this old knows no <c>SOURCE_DATE_EPOCH</c>, so everything but the times is compared.</summary>
    [SkippableFact]
    public async Task Both_tools_make_the_same_on_the_oldest_Engine_but_for_the_times()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker20);
        using var context = new BuildContextDirectory().Write("Dockerfile", Dockerfile).Write("in.txt", "hello, old one");
        await Buildx.BuildWithMetadataAsync(engine, ["--build-arg", $"BASE={engine.BaseImage}", "--tag", "theirs:1", context.Path]);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var build = new SolveRequest { Context = context.Path, BuildArgs = new Dictionary<string, string> { ["BASE"] = engine.BaseImage }, Tags = ["ours:1"] };
        await SolveOperation.RunAsync(connection, build, null, default);

        const string Format = "{{json .RootFS}} {{json .Config}} {{.Architecture}} {{.Os}} {{.Size}}";
        Assert.Equal(
            (await engine.DockerAsync("image", "inspect", "--format", Format, "theirs:1")).OutputOrThrow(),
            (await engine.DockerAsync("image", "inspect", "--format", Format, "ours:1")).OutputOrThrow());
    }

    [SkippableTheory]
    [InlineData(EngineKind.BuildkitdUnix, "linux/amd64", null)]
    [InlineData(EngineKind.BuildkitdUnix, "linux/amd64,linux/arm64", "mode=max")]
    [InlineData(EngineKind.Docker28Containerd, "linux/amd64", "mode=max")]
    [InlineData(EngineKind.Docker28Containerd, "linux/amd64,linux/arm64", "mode=max")]
    public async Task With_provenance_the_index_has_the_same_shape(EngineKind kind, string platforms, string? provenance)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Dockerfile).Write("in.txt", "hello, " + platforms);
        using var outputs = new BuildContextDirectory();
        var (theirs, ours) = (outputs.At("theirs.tar"), outputs.At("ours.tar"));

        await Buildx.BuildWithMetadataAsync(engine,
        [
            "--build-arg", $"BASE={engine.BaseImage}", "--platform", platforms, .. provenance is null ? Array.Empty<string>() : ["--provenance", provenance],
            "--output", $"type=oci,dest={theirs}", context.Path,
        ]);
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var request = new SolveRequest
        {
            Context = context.Path,
            BuildArgs = new Dictionary<string, string> { ["BASE"] = engine.BaseImage },
            Platforms = platforms.Split(','),
            FrontendOptions = provenance is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["attest:provenance"] = provenance },
            Outputs = [new SolveOutput { Type = "oci", Destination = ours }],
        };
        await SolveOperation.RunAsync(connection, request, null, default);

        var shape = await ImageShape.ReadAsync(theirs);
        Assert.Equal(provenance is null ? 0 : platforms.Split(',').Length, shape.Count(line => line.Contains("attestation-manifest", StringComparison.Ordinal)));
        Assert.Equal(shape, await ImageShape.ReadAsync(ours));
    }

    private static IEnumerable<string> BuildxArguments(ParityCase parity, TestEngine engine, string context, string destination, bool noCache)
    {
        var output = string.Join(',', parity.Attributes.Select(attribute => $"{attribute.Name}={attribute.Value}").Prepend($"type={parity.Type}"));
        return
        [
            "--build-arg", $"BASE={engine.BaseImage}", "--build-arg", $"SOURCE_DATE_EPOCH={Epoch}", "--provenance=false", "--platform", parity.Platforms,
            .. parity.Annotations.SelectMany(annotation => new[] { "--annotation", annotation }),
            "--output", parity.HasDestination ? $"{output},dest={destination}" : output,
            .. noCache ? new[] { "--no-cache" } : [],
            context,
        ];
    }

    private static SolveRequest Request(ParityCase parity, TestEngine engine, string context, string destination) => new()
    {
        Context = context,
        BuildArgs = new Dictionary<string, string> { ["BASE"] = engine.BaseImage, ["SOURCE_DATE_EPOCH"] = Epoch },
        Platforms = parity.Platforms.Split(','),
        Annotations = parity.Annotations,
        Attestations = [new SolveAttestation { Type = "provenance", Disabled = true }],
        Outputs =
        [
            new SolveOutput
            {
                Type = parity.Type,
                Destination = parity.HasDestination ? destination : null,
                Attributes = parity.Attributes.ToDictionary(attribute => attribute.Name, attribute => attribute.Value),
            },
        ],
    };

    private static string? Text(Dictionary<string, JsonElement> metadata, string key) => metadata.TryGetValue(key, out var value) ? value.GetString() : null;

    /// <summary>What lies at a destination, a line for each file.</summary>
    private static async Task<List<string>> ContentAsync(ParityCase parity, string path)
    {
        var lines = new List<string>();
        if (parity.Type == "local")
        {
            foreach (var entry in new DirectoryInfo(path).EnumerateFileSystemInfos("*", SearchOption.AllDirectories))
            {
                var content = entry is FileInfo { LinkTarget: null } ? Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(entry.FullName))) : entry.LinkTarget;
                lines.Add($"{Path.GetRelativePath(path, entry.FullName)} {entry.Attributes} {entry.UnixFileMode} {entry.LastWriteTimeUtc:O} {content}");
            }
            lines.Sort(StringComparer.Ordinal);
            return lines;
        }

        await using var file = File.OpenRead(path);
        using var reader = new TarReader(file);
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            var content = entry.DataStream is null ? "" : Convert.ToHexString(await SHA256.HashDataAsync(entry.DataStream));
            lines.Add($"{entry.Name} {entry.EntryType} {entry.Mode} {entry.Uid}:{entry.Gid} {entry.ModificationTime:O} {entry.LinkName} {content}");
        }
        lines.Add(Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(path))));
        return lines;
    }
}
