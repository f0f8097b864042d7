using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using Xunit;

namespace BuildKit.Tests.Solve.Exporters;

public sealed class ExporterTableTests
{
    [Fact]
    public void EveryTypeHasTheSameWaysOnEveryDaemonButForTheLoadIntoAnEngine()
    {
        foreach (var type in ExporterTable.Types)
        {
            var ways = ExporterTable.Daemons.Select(daemon => ExporterTable.Find(type, daemon).Select(row => row.Destination).ToHashSet()).ToList();
            // An Engine has its own store where another builder needs an Engine.
            Assert.All(ways, way => Assert.Equal(ways[0].Select(AsOnEngine).Order(), way.Select(AsOnEngine).Order()));
        }

        static ExporterDestination AsOnEngine(ExporterDestination way) => way == ExporterDestination.Engine ? ExporterDestination.None : way;
    }

    [Fact]
    public void ThereIsAColumnForEveryKindOfDaemon() => Assert.Equal(Enum.GetValues<DaemonStore>().Order(), ExporterTable.Daemons.Order());

    [Fact]
    public void ARowIsThereOnce() => Assert.Distinct(ExporterTable.Rows.Select(row => (row.Type, row.Daemon, row.Destination)));

    [Fact]
    public void EveryUnsupportedRowNamesTheWayOut() => Assert.All(ExporterTable.Rows.Where(row => !row.Supported), row => Assert.False(string.IsNullOrEmpty(row.WayOut)));

    [Fact]
    public void EveryRowHasAnExample() => Assert.All(ExporterTable.Rows, row => Assert.Contains($"type={row.Type}", ExporterExamples.Find(row).Call, StringComparison.Ordinal));

    [Fact]
    public void WhatTheTableAddsIsKnownToIt() =>
        Assert.All(ExporterTable.Rows, row => Assert.All(row.Attributes.Keys, name => Assert.NotEqual(ExporterFormat.None, ExporterAttributeTable.Find(name)!.Formats & row.Format)));

    [Fact]
    public void AnAttributeIsThereOnceAndSaysSomething()
    {
        Assert.Distinct(ExporterAttributeTable.Rows.Select(row => row.Name));
        Assert.All(ExporterAttributeTable.Rows, row => Assert.Equal(row.Type == ExporterAttributeType.Enumeration, row.Values.Count > 0));
        Assert.All(ExporterAttributeTable.Rows, row => Assert.EndsWith(".", row.Description.TrimEnd(')'), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("annotation.org.opencontainers.image.title")]
    [InlineData("annotation-index.a")]
    [InlineData("annotation-manifest-descriptor[linux/arm/v7].a.b")]
    public void AnnotationsAreKnown(string name) => Assert.Equal("annotation.KEY", ExporterAttributeTable.Find(name)?.Name);

    [Theory]
    [InlineData("compresion", "compression")]
    [InlineData("oci-mediatype", "oci-mediatypes")]
    [InlineData("pusy-by-digset", "push-by-digest")]
    [InlineData("nothing-like-it", null)]
    public void ASlipIsRecognised(string written, string? meant) =>
        Assert.Equal(meant, NearestName.Find(written, ExporterAttributeTable.Of(ExporterFormat.Image).Select(row => row.Name)));
}
