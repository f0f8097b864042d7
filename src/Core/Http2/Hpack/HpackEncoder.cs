using System.Buffers;
using System.Text;

namespace BuildKit.Http2.Hpack;

/// <summary>Turns headers into the header blocks of one direction of a connection. Blocks must be sent in the order in which they were made.</summary>
/// <param name="maxTableSize">The most that our half of the table may take, in octets; the peer can lower it.</param>
/// <param name="useHuffman">Whether strings are Huffman-coded where that does not make them longer.</param>
internal sealed class HpackEncoder(int maxTableSize = HpackEncoder.DefaultTableSize, bool useHuffman = true)
{
    /// <summary>What a table holds until settings say otherwise (RFC 9113 section 6.5.2).</summary>
    public const int DefaultTableSize = 4096;

    private readonly HpackDynamicTable _table = new(maxTableSize);
    private int? _smallestUnsaidSize;

    /// <summary>Follows the peer's SETTINGS_HEADER_TABLE_SIZE; the next block says so (RFC 7541 section 4.2).</summary>
    public void SetMaxTableSize(uint size)
    {
        var newSize = (int)Math.Min(size, (uint)_table.Capacity);
        if (newSize == _table.MaxSize)
            return;
        _smallestUnsaidSize = Math.Min(_smallestUnsaidSize ?? newSize, newSize);
        _table.Resize(newSize);
    }

    /// <summary>Writes the block of a list of headers.</summary>
    public void Encode(IReadOnlyList<HeaderField> fields, IBufferWriter<byte> output)
    {
        if (_smallestUnsaidSize is { } smallest)
        {
            // Section 4.2: a table that shrank and grew again says both, so that the peer evicts what we evicted.
            if (smallest < _table.MaxSize)
                HpackInteger.Encode(output, 0x20, 5, smallest);
            HpackInteger.Encode(output, 0x20, 5, _table.MaxSize);
            _smallestUnsaidSize = null;
        }

        foreach (var field in fields)
            EncodeField(field, output);
    }

    private void EncodeField(HeaderField field, IBufferWriter<byte> output)
    {
        var index = Find(field, out var valueMatches);
        if (field.NeverIndexed)
        {
            EncodeLiteral(field, 0x10, 4, index, output);
        }
        else if (valueMatches)
        {
            HpackInteger.Encode(output, 0x80, 7, index);
        }
        else if (field.Size > _table.MaxSize / 2)
        {
            // A field that would push most others out is not worth a place.
            EncodeLiteral(field, 0x00, 4, index, output);
        }
        else
        {
            EncodeLiteral(field, 0x40, 6, index, output);
            _table.Add(field);
        }
    }

    private int Find(HeaderField field, out bool valueMatches)
    {
        var nameIndex = HpackStaticTable.Find(field.Name, field.Value, out valueMatches);
        if (valueMatches)
            return nameIndex;

        for (var age = 0; age < _table.Count; age++)
        {
            var entry = _table[age];
            if (entry.Name != field.Name)
                continue;
            var index = HpackStaticTable.Count + 1 + age;
            if (entry.Value == field.Value)
            {
                valueMatches = true;
                return index;
            }

            if (nameIndex == 0)
                nameIndex = index;
        }

        return nameIndex;
    }

    private void EncodeLiteral(HeaderField field, byte flags, int prefixBits, int nameIndex, IBufferWriter<byte> output)
    {
        HpackInteger.Encode(output, flags, prefixBits, nameIndex);
        if (nameIndex == 0)
            EncodeString(field.Name, output);
        EncodeString(field.Value, output);
    }

    private void EncodeString(string text, IBufferWriter<byte> output)
    {
        var huffmanLength = useHuffman ? HpackHuffman.GetEncodedLength(text) : int.MaxValue;
        if (huffmanLength <= text.Length)
        {
            HpackInteger.Encode(output, 0x80, 7, huffmanLength);
            HpackHuffman.Encode(text, output);
            return;
        }

        HpackInteger.Encode(output, 0x00, 7, text.Length);
        output.Advance(Encoding.Latin1.GetBytes(text, output.GetSpan(text.Length)));
    }
}
