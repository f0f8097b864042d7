using System.Buffers;

namespace BuildKit.Http2.Hpack;

/// <summary>Integers with an N-bit prefix (RFC 7541 section 5.1).</summary>
internal static class HpackInteger
{
    // Four octets of seven bits hold every length and index that could be meant; more is an attempt to overflow or to waste time.
    private const int MaxContinuationBits = 28;

    /// <summary>Writes a value after the flags in the first octet's high bits.</summary>
    public static void Encode(IBufferWriter<byte> output, byte flags, int prefixBits, int value)
    {
        var span = output.GetSpan(6);
        var max = (1 << prefixBits) - 1;
        if (value < max)
        {
            span[0] = (byte)(flags | value);
            output.Advance(1);
            return;
        }

        span[0] = (byte)(flags | max);
        value -= max;
        var length = 1;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(0x80 | (value & 0x7F));
        span[length++] = (byte)value;
        output.Advance(length);
    }

    /// <summary>Reads a value and moves past it.</summary>
    /// <exception cref="HpackDecodingException">The block ends inside the integer, or the integer is absurdly large.</exception>
    public static int Decode(ref ReadOnlySpan<byte> input, int prefixBits)
    {
        if (input.IsEmpty)
            throw new HpackDecodingException("The header block ends where an integer should begin.");

        var max = (1 << prefixBits) - 1;
        var value = input[0] & max;
        input = input[1..];
        if (value < max)
            return value;

        for (var shift = 0; ; shift += 7)
        {
            if (input.IsEmpty)
                throw new HpackDecodingException("The header block ends inside an integer.");
            if (shift >= MaxContinuationBits)
                throw new HpackDecodingException("An integer in the header block is too large.");
            var octet = input[0];
            input = input[1..];
            value += (octet & 0x7F) << shift;
            if (octet < 0x80)
                return value;
        }
    }
}
