using BuildKit.Grpc;
using BuildKit.Http2.Hpack;
using Xunit;

namespace BuildKit.Tests.Grpc;

public sealed class ServerHeadersTests
{
    [Theory]
    [InlineData("0n", 0)]
    [InlineData("1n", 0)]
    [InlineData("12345678n", 123_456)]
    [InlineData("1u", 10)]
    [InlineData("1m", 10_000)]
    [InlineData("15S", 150_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("3H", 108_000_000_000)]
    [InlineData("99999999H", 42_336_000_000_000)]
    public void Timeouts_AreRead_UpToWhatATimerTakes(string text, long ticks) => Assert.Equal(ticks, ServerHeaders.ParseTimeout(text).Ticks);

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("100 %", "100 %25")]
    [InlineData("a\r\nb", "a%0D%0Ab")]
    [InlineData("ä€", "%C3%A4%E2%82%AC")]
    [InlineData("~ \u007f", "~ %7F")]
    [InlineData("\ud83d\ude00", "%F0%9F%98%80")]
    public void Messages_ArePercentEncoded(string message, string encoded) => Assert.Equal(encoded, ServerHeaders.PercentEncode(message));

    [Theory]
    [InlineData("AQID", new byte[] { 1, 2, 3 })]
    [InlineData("AQI=", new byte[] { 1, 2 })]
    [InlineData("AQI", new byte[] { 1, 2 })]
    [InlineData("AQ==", new byte[] { 1 })]
    [InlineData("AQ", new byte[] { 1 })]
    [InlineData("", new byte[0])]
    public void BinaryValues_AreReadWithAndWithoutPadding(string text, byte[] octets) =>
        Assert.Equal(octets, ServerHeaders.ToMetadata([new HeaderField("a-bin", text)]).GetValueBytes("a-bin"));

    [Fact]
    public void BinaryValues_JoinedByCommas_AreSeveral() =>
        Assert.Equal([[1], [1, 2], [1, 2, 3]], ServerHeaders.ToMetadata([new HeaderField("a-bin", "AQ,AQI=, AQID")]).GetAll("a-bin").Select(entry => entry.ValueBytes));

    [Fact]
    public void TextValues_WithCommas_StayWhole() =>
        Assert.Equal("a,b", ServerHeaders.ToMetadata([new HeaderField("a", "a,b")]).GetValue("a"));

    [Fact]
    public void HeadersThatAreNoMetadataKeys_AreLeftOut() =>
        Assert.Equal(["ok"], ServerHeaders.ToMetadata([new HeaderField("a*b", "1"), new HeaderField("ok", "1"), new HeaderField("te", "trailers")]).Select(entry => entry.Key));

    [Fact]
    public void BinaryValues_AreWrittenUnpadded() =>
        Assert.Contains(new HeaderField("a-bin", "AQ"), ServerHeaders.ForResponse([new Metadata.Entry("a-bin", new byte[] { 1 })]));
}
