using System.Buffers;

namespace BuildKit.Http2.Hpack;

/// <summary>
/// The Huffman code of string literals (RFC 7541 section 5.2 and appendix B). The code is canonical: symbols in the order of their length and value have
/// consecutive codes, so that the lengths alone define it.
/// </summary>
internal static class HpackHuffman
{
    private const int EndOfString = 256;

    private static readonly byte[] Lengths =
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    private static readonly uint[] Codes = AssignCodes();

    // A binary tree: two entries a node. A positive entry is the node that a bit leads to, a negative one the complement of a symbol.
    private static readonly short[] Tree = BuildTree();

    /// <summary>How many octets the coded text takes, its padding included. Each character is one octet.</summary>
    public static int GetEncodedLength(ReadOnlySpan<char> text)
    {
        var bits = 0L;
        foreach (var c in text)
            bits += Lengths[(byte)c];
        return (int)((bits + 7) / 8);
    }

    /// <summary>Writes the code of a text whose characters are one octet each.</summary>
    public static void Encode(ReadOnlySpan<char> text, IBufferWriter<byte> output)
    {
        var length = GetEncodedLength(text);
        var span = output.GetSpan(length);
        var written = 0;
        var pending = 0UL;
        var pendingBits = 0;
        foreach (var c in text)
        {
            pending = (pending << Lengths[(byte)c]) | Codes[(byte)c];
            pendingBits += Lengths[(byte)c];
            while (pendingBits >= 8)
            {
                pendingBits -= 8;
                span[written++] = (byte)(pending >> pendingBits);
            }
        }

        // The rest is filled with ones, the beginning of the end-of-string symbol.
        if (pendingBits > 0)
            span[written] = (byte)((pending << (8 - pendingBits)) | (0xFFu >> pendingBits));
        output.Advance(length);
    }

    /// <summary>The most octets that a code of <paramref name="length"/> octets can stand for: no symbol has fewer than five bits.</summary>
    public static int GetMaxDecodedLength(int length) => (int)(length * 8L / 5);

    /// <summary>Decodes into a buffer of at least <see cref="GetMaxDecodedLength"/> octets and returns how many it wrote.</summary>
    /// <exception cref="HpackDecodingException">The end-of-string symbol is in the text, or the padding is wrong.</exception>
    public static int Decode(ReadOnlySpan<byte> code, Span<byte> output)
    {
        var written = 0;
        var node = 0;
        var depth = 0;
        var onlyOnes = true;
        foreach (var octet in code)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                var one = (octet >> bit) & 1;
                onlyOnes &= one == 1;
                depth++;
                int next = Tree[(node * 2) + one];
                if (next >= 0)
                {
                    node = next;
                    continue;
                }

                if (~next == EndOfString)
                    throw new HpackDecodingException("A Huffman-coded string holds the end-of-string symbol.");
                output[written++] = (byte)~next;
                (node, depth, onlyOnes) = (0, 0, true);
            }
        }

        if (depth > 7 || !onlyOnes)
            throw new HpackDecodingException("A Huffman-coded string has wrong padding.");
        return written;
    }

    private static uint[] AssignCodes()
    {
        var codes = new uint[Lengths.Length];
        var code = 0u;
        for (var length = 1; length <= 30; length++)
        {
            for (var symbol = 0; symbol < Lengths.Length; symbol++)
            {
                if (Lengths[symbol] == length)
                    codes[symbol] = code++;
            }

            code <<= 1;
        }

        return codes;
    }

    private static short[] BuildTree()
    {
        // A full binary tree with 257 leaves has 256 inner nodes.
        var tree = new short[2 * EndOfString];
        var nodes = 1;
        for (var symbol = 0; symbol < Lengths.Length; symbol++)
        {
            var node = 0;
            for (var bit = Lengths[symbol] - 1; bit > 0; bit--)
            {
                ref var next = ref tree[(node * 2) + (int)((Codes[symbol] >> bit) & 1)];
                if (next == 0)
                    next = (short)nodes++;
                node = next;
            }

            tree[(node * 2) + (int)(Codes[symbol] & 1)] = (short)~symbol;
        }

        return tree;
    }
}
