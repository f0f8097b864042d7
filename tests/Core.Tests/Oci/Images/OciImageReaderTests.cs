using System.Text.Json.Nodes;
using BuildKit.Oci;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Images;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Oci.Images;

/// <summary>Images that BuildKit wrote, read from wherever they are, beside what other tools say of them.</summary>
public sealed class OciImageReaderTests(AttestedImage built) : IClassFixture<AttestedImage>
{
    private static readonly OciImageQuery Everything = new();

    [SkippableTheory]
    [InlineData("registry")]
    [InlineData("layout")]
    [InlineData("archive")]
    public async Task AnImageTellsEverything(string place)
    {
        var location = await built.LocationAsync(place);
        var images = await OciImageReader.ReadAsync(location, Everything, null, default);

        Assert.Equal(["linux/amd64", "linux/arm64"], images.Select(image => image.Platform?.ToString()));
        var image = images[1];
        Assert.Equal([await built.NameAsync], image.Names);
        Assert.Equal(["linux/amd64", "linux/arm64"], image.Index!.Platforms.Select(platform => platform.ToString()));
        Assert.Equal("both", image.Index.Annotations["about"]);
        Assert.Equal("kept", image.Annotations["note"]);
        Assert.DoesNotContain(image.Annotations.Keys, key => key.EndsWith(".name", StringComparison.Ordinal));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1700000000), image.Created);

        var config = image.Config!;
        Assert.Contains("Y=2", config.Env);
        Assert.Equal(["/f"], config.Entrypoint);
        Assert.Equal(["a", "b"], config.Cmd);
        Assert.Equal(("/w", "1:2", "SIGINT"), (config.WorkingDir, config.User, config.StopSignal));
        Assert.Equal(["53/udp", "80/tcp"], config.ExposedPorts);
        Assert.Equal(["/data"], config.Volumes);
        Assert.Equal(["CMD-SHELL", "/f"], config.Healthcheck);
        Assert.Equal("the one", config.Labels["team"]);

        Assert.Equal(2, image.Layers.Count);
        Assert.All(image.Layers, layer => Assert.StartsWith("sha256:", layer.DiffId, StringComparison.Ordinal));
        Assert.Equal("WORKDIR /w", image.Layers[1].CreatedBy);
        Assert.Same(image.Layers[1], image.History.Single(step => step.CreatedBy == "WORKDIR /w").Layer);
        Assert.True(image.History.Single(step => step.CreatedBy == "ENV X=1 Y=2").EmptyLayer);
        Assert.True(image.Size > image.Layers.Sum(layer => layer.Size) + config.Json.Length);

        var sbom = Assert.Single(image.Sbom);
        Assert.Equal(("SPDX-2.3", "Tool: tiny-1"), (sbom.SpdxVersion, Assert.Single(sbom.Creators)));
        Assert.Equal(new OciSbomPackage("tool", "1.36", "MIT", null, "pkg:deb/debian/tool@1.36", "SPDXRef-1"), Assert.Single(sbom.Packages));
        Assert.Equal("linux/arm64", image.Provenance!.Platform);
        Assert.Contains(image.Provenance.Materials, material => material.Uri.Contains("generator", StringComparison.Ordinal));

        // What a reference says leads back to the image, with its attestations.
        var again = Assert.Single(await OciImageReader.ReadAsync(OciAddress.Parse(image.Reference, Path.GetFullPath), Everything, null, default));
        Assert.Equal((image.Digest, config.Json), (again.Digest, again.Config!.Json));
        if (place != "registry")
            Assert.Equal(image.Attestations.Select(attestation => attestation.Digest), again.Attestations.Select(attestation => attestation.Digest));
    }

    [SkippableFact]
    public async Task BuildxAndCraneSayTheSame()
    {
        var name = await built.NameAsync;
        var images = await OciImageReader.ReadAsync(await built.LocationAsync("registry"), Everything, null, default);
        var program = await TestEngines.GetProgramAsync("buildx");
        const string Format = """{"manifest":{{json .Manifest}},"provenance":{{json .Provenance}},"sbom":{{json .SBOM}}}""";
        var inspected = JsonNode.Parse((await CommandResult.RunAsync(program, ["imagetools", "inspect", name, "--format", Format])).OutputOrThrow())!;
        Assert.Equal(inspected["manifest"]!["digest"]!.GetValue<string>(), images[0].Index!.Digest);
        foreach (var image in images)
        {
            var platform = image.Platform!.ToString();
            Assert.True(JsonNode.DeepEquals(inspected["provenance"]![platform]!["SLSA"], JsonNode.Parse(image.Provenance!.Json)));
            Assert.True(JsonNode.DeepEquals(inspected["sbom"]![platform]!["SPDX"], JsonNode.Parse(image.Attestations.Single(attestation => attestation.Sbom is not null).Json)));

            var crane = await TestEngines.GetProgramAsync("crane");
            Assert.Equal((await CommandResult.RunAsync(crane, ["config", "--platform", platform, name])).OutputOrThrow(), image.Config!.Json);
            Assert.Equal((await CommandResult.RunAsync(crane, ["digest", "--platform", platform, name])).OutputOrThrow(), image.Digest);
        }
    }

    [SkippableFact]
    public async Task WhatIsMeantIsChosen()
    {
        var location = await built.LocationAsync("layout");
        var arm = Assert.Single(await OciImageReader.ReadAsync(location, Everything with { Platforms = ["linux/arm64/v8"], IncludeAttestations = false }, null, default));
        Assert.Equal(("linux/arm64", 0), (arm.Platform!.ToString(), arm.Attestations.Count));
        Assert.Equal(2, (await OciImageReader.ReadAsync(location, Everything with { Digest = OciDigest.Parse(arm.Index!.Digest) }, null, default)).Count);
        var tag = arm.Names[0][(arm.Names[0].LastIndexOf(':') + 1)..];
        Assert.Equal(2, (await OciImageReader.ReadAsync(OciAddress.Parse($"oci-layout://{built.LayoutPath}:{tag}", Path.GetFullPath), Everything, null, default)).Count);

        Assert.Equal("BuildKit.OciPlatformNotFound", await FailAsync(location, Everything with { Platforms = ["linux/s390x"] }));
        Assert.Equal("BuildKit.OciImageNotFound", await FailAsync(location, Everything with { Name = name => name == "another" }));
        Assert.Equal("BuildKit.OciImageNotFound", await FailAsync(location, Everything with { Digest = OciDigest.Of([]) }));
        Assert.Equal("BuildKit.ManifestNotFound", await FailAsync(OciAddress.Parse(await built.NameAsync + "-not", Path.GetFullPath), Everything));
    }

    private static async Task<string> FailAsync(OciAddress location, OciImageQuery query) =>
        (await Assert.ThrowsAsync<BuildKitException>(() => OciImageReader.ReadAsync(location, query, null, default))).ErrorId;
}
