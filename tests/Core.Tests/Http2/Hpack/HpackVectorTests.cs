using System.Buffers;
using BuildKit.Http2.Hpack;
using Xunit;

namespace BuildKit.Tests.Http2.Hpack;

/// <summary>The examples of RFC 7541 appendix C.</summary>
public sealed class HpackVectorTests
{
    private static readonly HeaderField[][] Requests =
    [
        [new(":method", "GET"), new(":scheme", "http"), new(":path", "/"), new(":authority", "www.example.com")],
        [new(":method", "GET"), new(":scheme", "http"), new(":path", "/"), new(":authority", "www.example.com"), new("cache-control", "no-cache")],
        [new(":method", "GET"), new(":scheme", "https"), new(":path", "/index.html"), new(":authority", "www.example.com"), new("custom-key", "custom-value")],
    ];

    private static readonly HeaderField[][] Responses =
    [
        [new(":status", "302"), new("cache-control", "private"), new("date", "Mon, 21 Oct 2013 20:13:21 GMT"), new("location", "https://www.example.com")],
        [new(":status", "307"), new("cache-control", "private"), new("date", "Mon, 21 Oct 2013 20:13:21 GMT"), new("location", "https://www.example.com")],
        [
            new(":status", "200"), new("cache-control", "private"), new("date", "Mon, 21 Oct 2013 20:13:22 GMT"), new("location", "https://www.example.com"),
            new("content-encoding", "gzip"), new("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
        ],
    ];

    private static readonly string[] C3 =
    [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];

    private static readonly string[] C4 =
    [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];

    private static readonly string[] C5 =
    [
        """
        4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
        2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d
        """,
        "4803 3330 37c1 c0bf",
        """
        88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
        7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178
        2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31
        """,
    ];

    private static readonly string[] C6 =
    [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        """
        88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960
        d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07
        """,
    ];

    [Theory]
    [InlineData(10, 5, "0a")]
    [InlineData(1337, 5, "1f9a0a")]
    [InlineData(42, 8, "2a")]
    public void C1_Integers(int value, int prefixBits, string hex)
    {
        var output = new ArrayBufferWriter<byte>();
        HpackInteger.Encode(output, 0, prefixBits, value);
        Assert.Equal(hex, Convert.ToHexString(output.WrittenSpan), ignoreCase: true);

        var input = output.WrittenSpan;
        Assert.Equal(value, HpackInteger.Decode(ref input, prefixBits));
        Assert.True(input.IsEmpty);
    }

    [Theory]
    [InlineData("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", "custom-key", "custom-header", false)]
    [InlineData("040c 2f73 616d 706c 652f 7061 7468", ":path", "/sample/path", false)]
    [InlineData("1008 7061 7373 776f 7264 0673 6563 7265 74", "password", "secret", true)]
    [InlineData("82", ":method", "GET", false)]
    public void C2_SingleFields(string hex, string name, string value, bool neverIndexed)
    {
        Assert.Equal([new HeaderField(name, value, neverIndexed)], Decode(new HpackDecoder(4096), hex));
    }

    [Fact]
    public void C2_IndexedLiteralEntersTheTable_AndOthersDoNot()
    {
        var decoder = new HpackDecoder(4096);
        Decode(decoder, "040c 2f73 616d 706c 652f 7061 7468");
        Decode(decoder, "1008 7061 7373 776f 7264 0673 6563 7265 74");
        Assert.Throws<HpackDecodingException>(() => Decode(decoder, "be"));
        Decode(decoder, "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
        Assert.Equal([new HeaderField("custom-key", "custom-header")], Decode(decoder, "be"));
    }

    [Theory]
    [InlineData("C.3")]
    [InlineData("C.4")]
    [InlineData("C.5")]
    [InlineData("C.6")]
    public void C3ToC6_Sequences_DecodeAndEncodeAsInTheSpecification(string section)
    {
        var (blocks, lists, tableSize, huffman) = section switch
        {
            "C.3" => (C3, Requests, 4096, false),
            "C.4" => (C4, Requests, 4096, true),
            "C.5" => (C5, Responses, 256, false),
            _ => (C6, Responses, 256, true),
        };
        var decoder = new HpackDecoder(tableSize);
        var encoder = new HpackEncoder(tableSize, huffman);
        foreach (var (block, list) in blocks.Zip(lists))
        {
            Assert.Equal(list, Decode(decoder, block));
            var output = new ArrayBufferWriter<byte>();
            encoder.Encode(list, output);
            Assert.Equal(Bytes(block), output.WrittenSpan.ToArray());
        }
    }

    [Theory]
    [InlineData(new[] { 55 }, new[] { "custom-key|custom-header" })]
    [InlineData(new[] { 57, 110, 164 }, new[] { ":authority|www.example.com", "cache-control|no-cache", "custom-key|custom-value" })]
    public void TableSizes_AreAsInTheSpecification(int[] sizes, string[] fields)
    {
        var table = new HpackDynamicTable(4096);
        foreach (var (size, field) in sizes.Zip(fields))
        {
            var parts = field.Split('|');
            table.Add(new HeaderField(parts[0], parts[1]));
            Assert.Equal(size, table.Size);
        }
    }

    private static List<HeaderField> Decode(HpackDecoder decoder, string hex)
    {
        var fields = new List<HeaderField>();
        Assert.True(decoder.Decode(Bytes(hex), 1_000_000, fields));
        return fields;
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(string.Concat(hex.Where(char.IsAsciiHexDigit)));
}
