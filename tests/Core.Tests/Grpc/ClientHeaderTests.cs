using System.Text;
using BuildKit.Grpc;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>The small codings of gRPC's headers.</summary>
public sealed class ClientHeaderTests
{
    [Theory]
    [InlineData(0L, "1n")]
    [InlineData(-5L, "1n")]
    [InlineData(1L, "1u")] // ticks of 100 ns, rounded up
    [InlineData(10L, "1u")]
    [InlineData(11L, "2u")]
    [InlineData(TimeSpan.TicksPerSecond * 15, "15000000u")]
    [InlineData(TimeSpan.TicksPerSecond * 99, "99000000u")]
    [InlineData(TimeSpan.TicksPerSecond * 100, "100000m")]
    [InlineData(TimeSpan.TicksPerDay * 2, "172800S")]
    [InlineData(TimeSpan.TicksPerDay * 1200, "1728000M")]
    [InlineData(long.MaxValue, "99999999H")]
    public void Timeout_HasAtMostEightDigits_AndIsRoundedUp(long ticks, string expected) =>
        Assert.Equal(expected, RequestHeaderWriter.EncodeTimeout(TimeSpan.FromTicks(ticks)));

    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("100%25", "100%")]
    [InlineData("%e2%82%ac %E2%82%AC", "€ €")]
    [InlineData("%0D%0A\t", "\r\n\t")]
    [InlineData("50% off", "50% off")]
    [InlineData("%zz%4", "%zz%4")]
    [InlineData("% 1%+2", "% 1%+2")]
    [InlineData("%", "%")]
    [InlineData("broken %ff", "broken %ff")] // no UTF-8: as it came
    public void Message_IsDecoded_AndNothingIsLost(string encoded, string expected) => Assert.Equal(expected, ResponseHeaderReader.DecodeMessage(encoded));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(50)]
    [InlineData(100_000)]
    public void Splitter_DoesItsWork_WhateverTheWrites(int writeSize)
    {
        var longValue = new string('v', 300);
        var preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
        (string, string)[] joined = [("a", "1"), ("multi", $"x\u001f\u001f{longValue}"), ("b", "2")];
        (string, string)[] apart = [("a", "1"), ("multi", "x"), ("multi", string.Empty), ("multi", longValue), ("b", "2")];
        byte[] data = [.. Enumerable.Range(0, 200).Select(i => (byte)i)]; // holds the separator, and bytes that look like frames

        byte[] Wire((string, string)[] headers) =>
        [
            .. preface, .. Frame(4, 0, []), .. Frame(1, 4, ClientRawPeer.EncodeHeaders(headers)), .. Frame(0, 0, data),
            .. Frame(1, 5, ClientRawPeer.EncodeHeaders(("c", "3"))),
            .. Frame(1, 4, ClientRawPeer.EncodeHeaders(headers)), .. Frame(0, 1, []),
        ];

        var input = Wire(joined);
        var splitter = new RepeatedHeaderSplitter();
        var output = new List<byte>();
        for (var start = 0; start < input.Length; start += writeSize)
            output.AddRange(splitter.Split(input.AsMemory(start, Math.Min(writeSize, input.Length - start))).ToArray());
        Assert.Equal(Wire(apart), output);
    }

    [Fact]
    public void Splitter_LeavesAloneWhatItCannotTakeApart()
    {
        byte[] indexed = [0x40, 1, (byte)'k', 3, (byte)'a', 0x1f, (byte)'b']; // would enter the peer's dynamic table twice (RFC 7541, section 6.2.1)
        byte[] huffman = [0x00, 1, (byte)'k', 0x83, (byte)'a', 0x1f, (byte)'b']; // the byte is no separator there
        byte[] indexedFieldAndSizeUpdate = [0x82, 0x3f, 0x1f, 0x86];
        byte[] input =
        [
            .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(1, 4, indexed), .. Frame(1, 4, huffman), .. Frame(1, 4, indexedFieldAndSizeUpdate),
            .. Frame(1, 0, ClientRawPeer.EncodeHeaders(("k", "a\u001fb"))),
        ];
        Assert.Equal(input, new RepeatedHeaderSplitter().Split(input).ToArray());
    }

    [Fact]
    public void Splitter_PassesTheSameMemoryOn_WhereThereIsNothingToDo()
    {
        var splitter = new RepeatedHeaderSplitter();
        splitter.Split(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        ReadOnlyMemory<byte> frame = Frame(0, 0, new byte[1000]);
        Assert.True(frame.Equals(splitter.Split(frame)));
    }

    private static byte[] Frame(byte type, byte flags, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, 1, .. payload];
}
