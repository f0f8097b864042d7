using System.Text;
using BuildKit.Oci;
using Xunit;

namespace BuildKit.Tests.Oci;

public sealed class IndexJoinTests
{
    private const string Amd64 = """{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:DIGEST1","size":1,"platform":{"architecture":"amd64","os":"linux"}}""";
    private const string Armv7 = """{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:DIGEST2","size":2,"annotations":{"z":"1"},"platform":{"architecture":"arm","os":"linux","variant":"v7"}}""";
    private const string Attestation = """{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:DIGEST3","size":3,"platform":{"architecture":"unknown","os":"unknown"}}""";

    [Fact]
    public void PartsKeepTheirOrderAndEveryByteIsAsGoWritesIt()
    {
        var joined = IndexJoin.Join(
            [Part(Armv7, Attestation), Part(Amd64)],
            [new("index", null, "k", "<b> & \"ü\" \u2028"), new("index", null, "a", "1"), new("manifest-descriptor", "linux/arm/v7", "only", "arm"), new("manifest-descriptor", null, "all", "\u0001\n😀")]);

        Assert.Equal(
            """
            {
              "schemaVersion": 2,
              "mediaType": "application/vnd.oci.image.index.v1+json",
              "manifests": [
                {
                  "mediaType": "application/vnd.oci.image.manifest.v1+json",
                  "digest": "sha256:DIGEST2",
                  "size": 2,
                  "annotations": {
                    "all": "\u0001\n😀",
                    "only": "arm",
                    "z": "1"
                  },
                  "platform": {
                    "architecture": "arm",
                    "os": "linux",
                    "variant": "v7"
                  }
                },
                {
                  "mediaType": "application/vnd.oci.image.manifest.v1+json",
                  "digest": "sha256:DIGEST3",
                  "size": 3,
                  "annotations": {
                    "all": "\u0001\n😀"
                  },
                  "platform": {
                    "architecture": "unknown",
                    "os": "unknown"
                  }
                },
                {
                  "mediaType": "application/vnd.oci.image.manifest.v1+json",
                  "digest": "sha256:DIGEST1",
                  "size": 1,
                  "annotations": {
                    "all": "\u0001\n😀"
                  },
                  "platform": {
                    "architecture": "amd64",
                    "os": "linux"
                  }
                }
              ],
              "annotations": {
                "a": "1",
                "k": "\u003cb\u003e \u0026 \"ü\" \u2028"
              }
            }
            """, Text(joined));
        Assert.Equal(["linux/amd64", "linux/arm/v7"], joined.Platforms.Keys.Order());
    }

    [Fact]
    public void WhatIsDockersAltogetherStaysDockersAndTakesNoAnnotations()
    {
        var joined = IndexJoin.Join([Part(Docker(Amd64)), Part(Docker(Armv7))], [new("index", null, "k", "v"), new("manifest-descriptor", null, "k", "v")]);
        Assert.Equal("application/vnd.docker.distribution.manifest.list.v2+json", joined.MediaType);
        Assert.DoesNotContain("\"k\"", Text(joined), StringComparison.Ordinal);

        Assert.Equal("application/vnd.oci.image.index.v1+json", IndexJoin.Join([Part(Docker(Amd64)), Part(Armv7)], []).MediaType);
    }

    [Fact]
    public void WhatTwoPartsShareIsThereOnceWithTheAnnotationsOfBoth()
    {
        var joined = IndexJoin.Join([Part(Armv7), Part(Amd64, Armv7.Replace("\"z\":\"1\"", "\"y\":\"2\"", StringComparison.Ordinal))], []);
        var entries = OciIndex.Parse(joined.Content).Manifests;
        Assert.Equal(2, entries.Count);
        Assert.Equal("1", entries[0].Annotations["z"]);
        Assert.Equal("2", entries[0].Annotations["y"]);
    }

    private static OciIndex Part(params string[] entries) =>
        OciIndex.Parse(Encoding.UTF8.GetBytes(Digests($$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{string.Join(',', entries)}}]}""")));

    private static string Docker(string entry) =>
        entry.Replace("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json", StringComparison.Ordinal);

    private static string Text(JoinedIndex joined) => Encoding.UTF8.GetString(joined.Content)
        .Replace(new string('1', 64), "DIGEST1", StringComparison.Ordinal).Replace(new string('2', 64), "DIGEST2", StringComparison.Ordinal)
        .Replace(new string('3', 64), "DIGEST3", StringComparison.Ordinal);

    private static string Digests(string text) => text.Replace("DIGEST1", new string('1', 64), StringComparison.Ordinal)
        .Replace("DIGEST2", new string('2', 64), StringComparison.Ordinal).Replace("DIGEST3", new string('3', 64), StringComparison.Ordinal);
}
