using System.Buffers;
using BuildKit.Http2.Hpack;
using Xunit;

namespace BuildKit.Tests.Http2.Hpack;

public sealed class HpackRoundTripTests
{
    private static readonly string[] Names = [":status", "content-type", "grpc-status", "set-cookie", "x-a", "x-b", "x-long-name-that-is-in-no-table", "date"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void RandomLists_WithTableSizeChanges_ComeBackAsTheyWere(int seed)
    {
        var random = new Random(seed);
        var encoder = new HpackEncoder(useHuffman: seed % 2 == 0);
        var decoder = new HpackDecoder(4096);
        var output = new ArrayBufferWriter<byte>();
        for (var round = 0; round < 2_000; round++)
        {
            for (var changes = random.Next(8) == 0 ? random.Next(1, 4) : 0; changes > 0; changes--)
                encoder.SetMaxTableSize((uint)random.Next(6_000));

            var list = Enumerable.Range(0, random.Next(12)).Select(_ => RandomField(random)).ToList();
            output.ResetWrittenCount();
            encoder.Encode(list, output);
            var decoded = new List<HeaderField>();
            Assert.True(decoder.Decode(output.WrittenSpan, int.MaxValue, decoded));

            // Equal in every detail, the ban on indexing included.
            Assert.Equal(list, decoded);
        }
    }

    [Fact]
    public void EveryOctet_SurvivesTheHuffmanCode_AtEveryAlignment()
    {
        var octets = string.Concat(Enumerable.Range(0, 256).Select(octet => (char)octet));
        for (var start = 0; start < 256; start++)
        {
            var text = octets[start..] + octets[..start];
            var output = new ArrayBufferWriter<byte>();
            HpackHuffman.Encode(text, output);
            Assert.Equal(HpackHuffman.GetEncodedLength(text), output.WrittenCount);

            var decoded = new byte[HpackHuffman.GetMaxDecodedLength(output.WrittenCount)];
            var length = HpackHuffman.Decode(output.WrittenSpan, decoded);
            Assert.Equal(text, System.Text.Encoding.Latin1.GetString(decoded, 0, length));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(31)]
    [InlineData(158)]
    [InlineData(16_384)]
    [InlineData(268_000_000)]
    public void Integers_ComeBack_WithEveryPrefix(int value)
    {
        for (var prefixBits = 4; prefixBits <= 8; prefixBits++)
        {
            var output = new ArrayBufferWriter<byte>();
            HpackInteger.Encode(output, 0, prefixBits, value);
            var input = output.WrittenSpan;
            Assert.Equal(value, HpackInteger.Decode(ref input, prefixBits));
            Assert.True(input.IsEmpty);
        }
    }

    [Fact]
    public void ShrunkTable_IsAnnounced_WithItsSmallestSizeFirst()
    {
        var encoder = new HpackEncoder();
        encoder.SetMaxTableSize(0);
        encoder.SetMaxTableSize(100);
        var output = new ArrayBufferWriter<byte>();
        encoder.Encode([new HeaderField(":status", "200")], output);
        Assert.Equal("203F4588", Convert.ToHexString(output.WrittenSpan));

        // It is said once.
        output.ResetWrittenCount();
        encoder.Encode([new HeaderField(":status", "200")], output);
        Assert.Equal("88", Convert.ToHexString(output.WrittenSpan));
    }

    [Fact]
    public void Repetition_TakesOneOctetAField()
    {
        var encoder = new HpackEncoder();
        HeaderField[] list = [new("content-type", "application/grpc"), new("grpc-status", "0")];
        var output = new ArrayBufferWriter<byte>();
        encoder.Encode(list, output);
        output.ResetWrittenCount();
        encoder.Encode(list, output);
        Assert.Equal(2, output.WrittenCount);
    }

    private static HeaderField RandomField(Random random)
    {
        var name = random.Next(4) == 0 ? RandomText(random, 1 + random.Next(20)) : Names[random.Next(Names.Length)];
        var value = random.Next(3) switch
        {
            0 => random.Next(3).ToString(System.Globalization.CultureInfo.InvariantCulture),
            1 => RandomText(random, random.Next(40)),
            _ => RandomText(random, random.Next(4) == 0 ? random.Next(6_000) : random.Next(200)),
        };
        return new HeaderField(name, value, random.Next(10) == 0);
    }

    private static string RandomText(Random random, int length) =>
        string.Create(length, random, static (span, random) =>
        {
            var top = random.Next(2) == 0 ? 0x7F : 0x100;
            foreach (ref var c in span)
                c = (char)random.Next(top);
        });
}
