using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using Xunit;

namespace BuildKit.Tests.Solve.Planning;

public sealed class AttestationPlannerTests
{
    private const string Provenance = "attest:provenance";

    private static SolveAttestation Attestation(string type, bool disabled = false, params (string Name, string Value)[] attributes) => new()
    {
        Type = type,
        Disabled = disabled,
        Attributes = attributes.ToDictionary(attribute => attribute.Name, attribute => attribute.Value),
    };

    private static SolveRequest Request(params SolveAttestation[] attestations) => Plans.Request with { Attestations = attestations };

    [Theory]
    [InlineData(DaemonStore.Buildkitd, "mode=min,inline-only=true")]
    [InlineData(DaemonStore.EngineContainerd, "mode=min,inline-only=true")]
    [InlineData(DaemonStore.EngineGraphdriver, null)]
    internal async Task ProvenanceIsThereByDefaultWhereItCanBe(DaemonStore store, string? value) =>
        Assert.Equal(value, await Plans.Request.AttributeAsync(Provenance, Plans.Daemon(store)));

    [Theory]
    [InlineData("1", null)]
    [InlineData("True", null)]
    [InlineData("false", "mode=min,inline-only=true")]
    public async Task ProvenanceByDefaultCanBeSwitchedOff(string variable, string? value) =>
        Assert.Equal(value, await Plans.Request.AttributeAsync(Provenance, Plans.Daemon(DaemonStore.Buildkitd, ("BUILDX_NO_DEFAULT_ATTESTATIONS", variable))));

    [Fact]
    public async Task TheVariableMustBeTrueOrFalse()
    {
        var daemon = Plans.Daemon(DaemonStore.Buildkitd, ("BUILDX_NO_DEFAULT_ATTESTATIONS", "yes"));
        await Plans.Request.RefusesAsync("BuildKit.InvalidVariable", daemon);
        Assert.Equal("type=provenance", await Request(Attestation("provenance")).AttributeAsync(Provenance, daemon));
    }

    [Fact]
    public async Task AttributesAreSortedAndQuotedAsBuildxDoes() => Assert.Equal(
        "type=provenance,builder-id=https://x,\"custom=a,b \"\"c\"\"\",mode=max",
        await Request(Attestation("provenance", false, ("mode", "max"), ("custom", "a,b \"c\""), ("builder-id", "https://x"))).AttributeAsync(Provenance));

    [Fact]
    public async Task TheFirstOfATypeCounts()
    {
        Assert.Equal("type=provenance,mode=max", await Request(Attestation("provenance", false, ("mode", "max")), Attestation("provenance", true)).AttributeAsync(Provenance));
        Assert.Null(await Request(Attestation("provenance", true), Attestation("provenance")).AttributeAsync(Provenance));
    }

    [Fact]
    public async Task SbomLeavesTheDefaultProvenanceAlone()
    {
        await using var plan = await Request(Attestation("sbom", false, ("generator", "x/y:1"))).PlanAsync();
        Assert.Equal("type=sbom,generator=x/y:1", plan.FrontendAttributes["attest:sbom"]);
        Assert.Equal("mode=min,inline-only=true", plan.FrontendAttributes[Provenance]);
    }

    [Fact]
    public async Task AStoreThatHasNoPlaceForThemSaysSo()
    {
        await Request(Attestation("sbom")).RefusesAsync("BuildKit.AttestationsNotSupported", Plans.Daemon(DaemonStore.EngineGraphdriver));
        await Request(Attestation("sbom")).RefusesAsync("BuildKit.AttestationsNotSupported", Plans.Daemon() with { Workers = [Plans.Worker(null)] });
        Assert.Null(await Request(Attestation("sbom", true)).AttributeAsync("attest:sbom", Plans.Daemon(DaemonStore.EngineGraphdriver)));
    }

    [Theory]
    [InlineData("signature", "mode", "max")]
    [InlineData("provenance", "mode", "most")]
    [InlineData("sbom", "generator", "")]
    public Task WhatCannotBeIsRefused(string type, string name, string value) => Request(Attestation(type, false, (name, value))).RefusesAsync("BuildKit.InvalidAttestation");
}
