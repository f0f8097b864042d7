using BuildKit.Http2.Hpack;
using Xunit;

namespace BuildKit.Tests.Http2.Hpack;

/// <summary>Header blocks that a hostile peer might send.</summary>
public sealed class HpackDecoderTests
{
    [Theory]
    [InlineData("80", "index 0 of an indexed field")]
    [InlineData("be", "an index beyond both tables")]
    [InlineData("ff00", "an index far beyond both tables")]
    [InlineData("7f00 00", "a name index beyond both tables")]
    [InlineData("ff", "an integer without its end")]
    [InlineData("ff80", "an integer without its end")]
    [InlineData("ffffffffff7f", "an integer of 35 bits")]
    [InlineData("ff8080808000", "an integer with useless octets")]
    [InlineData("ffffffffffffffffffffff7f", "an integer of 77 bits")]
    [InlineData("00", "a literal without a name")]
    [InlineData("0001", "a name without its octets")]
    [InlineData("000161", "a literal without a value")]
    [InlineData("00016105", "a value without its octets")]
    [InlineData("0001617fffffff7f", "a value of 268 million octets that are not there")]
    [InlineData("3fe21f", "a table size of 4097 where 4096 is the limit")]
    [InlineData("3fffffffff7f", "a table size over 31 bits")]
    [InlineData("8220", "a table size after a field")]
    [InlineData("000161 81ff", "eight ones as padding, nothing else")]
    [InlineData("000161 82 1fff", "padding of more than seven bits")]
    [InlineData("000161 81 18", "padding that is not all ones")]
    [InlineData("000161 84 3fffffff", "the end-of-string symbol in the text")]
    [InlineData("000161 84 ffffffff", "the end-of-string symbol in the text, first")]
    public void Malformed_IsRefused(string hex, string what)
    {
        var exception = Record.Exception(() => new HpackDecoder(4096).Decode(Bytes(hex), 1_000_000, []));
        Assert.True(exception is HpackDecodingException, $"{what}: {exception?.GetType().Name ?? "accepted"}");
    }

    [Theory]
    [InlineData("000161 81 1f", "a")]
    [InlineData("000161 82 197f", "ae", "two symbols of five bits, six bits of padding")]
    [InlineData("000161 80", "")]
    [InlineData("000161 00", "")]
    public void PaddingOfUpToSevenOnes_IsAccepted(string hex, string value, string? _ = null)
    {
        var fields = new List<HeaderField>();
        new HpackDecoder(4096).Decode(Bytes(hex), 1_000_000, fields);
        Assert.Equal([new HeaderField("a", value)], fields);
    }

    [Fact]
    public void TableSizeUpdates_AtTheStart_AreFollowed()
    {
        var decoder = new HpackDecoder(4096);
        decoder.Decode(Bytes("400161 0162"), 1_000_000, []);

        // 0 empties the table, 4096 opens it again: both in front of one field.
        Assert.Throws<HpackDecodingException>(() => decoder.Decode(Bytes("20 3fe11f be"), 1_000_000, []));
        var fields = new List<HeaderField>();
        decoder.Decode(Bytes("400161 0163 be"), 1_000_000, fields);
        Assert.Equal([new HeaderField("a", "c"), new HeaderField("a", "c")], fields);
    }

    [Fact]
    public void EntryLargerThanTheTable_EmptiesIt()
    {
        var decoder = new HpackDecoder(64);
        decoder.Decode(Bytes("400161 0162"), 1_000_000, []);
        decoder.Decode([0x40, 1, (byte)'x', 40, .. new byte[40]], 1_000_000, []);
        Assert.Throws<HpackDecodingException>(() => decoder.Decode(Bytes("be"), 1_000_000, []));
    }

    [Fact]
    public void ListOverTheLimit_IsNotKept_AndLaterBlocksStillDecode()
    {
        // A bomb: one entry of 4 KB, referred to again and again at one octet each.
        var decoder = new HpackDecoder(4096);
        var value = new byte[4000];
        Array.Fill(value, (byte)'v');
        byte[] bomb = [0x40, 1, (byte)'x', 0x7F, .. Continuation(4000 - 127), .. value, .. Enumerable.Repeat((byte)0xBE, 100_000)];

        var fields = new List<HeaderField>();
        Assert.False(decoder.Decode(bomb, 10_000, fields));
        Assert.Equal(2, fields.Count);

        fields.Clear();
        Assert.True(decoder.Decode([0xBE], 10_000, fields));
        Assert.Equal(new string('v', 4000), fields.Single().Value);
    }

    [Fact]
    public void RandomOctets_AreDecodedOrRefused_AndNothingElseHappens()
    {
        var random = new Random(7541);
        var block = new byte[64];
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            random.NextBytes(block);
            try
            {
                new HpackDecoder(4096).Decode(block.AsSpan(0, random.Next(block.Length)), 100_000, []);
            }
            catch (HpackDecodingException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1_000, 19_999);
    }

    private static byte[] Continuation(int value) => [(byte)(0x80 | (value & 0x7F)), (byte)(value >> 7)];

    private static byte[] Bytes(string hex) => Convert.FromHexString(string.Concat(hex.Where(char.IsAsciiHexDigit)));
}
