using System.Buffers;
using System.Text;

namespace BuildKit.Http2.Hpack;

/// <summary>Turns the header blocks of one direction of a connection back into headers, in the order in which they arrive (RFC 7541 section 3).</summary>
/// <param name="maxTableSize">The table size that the peer was told (SETTINGS_HEADER_TABLE_SIZE), in octets.</param>
internal sealed class HpackDecoder(int maxTableSize)
{
    private readonly HpackDynamicTable _table = new(maxTableSize);

    /// <summary>Decodes a complete block.</summary>
    /// <param name="block">The fragments of HEADERS and CONTINUATION, joined.</param>
    /// <param name="maxListSize">The most that the headers may come to, in octets as <see cref="HeaderField.Size"/> counts them.</param>
    /// <param name="fields">Takes the headers.</param>
    /// <returns>False when there were more headers than <paramref name="maxListSize"/>; the table is right all the same, so that later blocks can be read.</returns>
    /// <exception cref="HpackDecodingException">The block breaks the rules; later blocks can't be read any more.</exception>
    public bool Decode(ReadOnlySpan<byte> block, int maxListSize, List<HeaderField> fields)
    {
        var listSize = 0L;
        var fieldSeen = false;
        while (!block.IsEmpty)
        {
            var first = block[0];
            if ((first & 0xE0) == 0x20)
            {
                if (fieldSeen)
                    throw new HpackDecodingException("A dynamic table size update follows a header.");
                UpdateTableSize(HpackInteger.Decode(ref block, 5));
                continue;
            }

            fieldSeen = true;
            var field = DecodeField(first, ref block);
            listSize += field.Size;
            if (listSize <= maxListSize)
                fields.Add(field);
        }

        return listSize <= maxListSize;
    }

    private HeaderField DecodeField(byte first, ref ReadOnlySpan<byte> block)
    {
        // Section 6.1: an indexed field.
        if ((first & 0x80) != 0)
            return Get(HpackInteger.Decode(ref block, 7));

        // Section 6.2.1: a literal that goes into the table; 6.2.2 and 6.2.3: literals that do not.
        var incremental = (first & 0x40) != 0;
        var nameIndex = HpackInteger.Decode(ref block, incremental ? 6 : 4);
        var name = nameIndex == 0 ? DecodeString(ref block) : Get(nameIndex).Name;
        var value = DecodeString(ref block);
        var field = new HeaderField(name, value, !incremental && (first & 0x10) != 0);
        if (incremental)
            _table.Add(field);
        return field;
    }

    private HeaderField Get(int index)
    {
        if (index == 0)
            throw new HpackDecodingException("A header refers to index 0.");
        if (index <= HpackStaticTable.Count)
            return HpackStaticTable.Get(index);
        var age = index - HpackStaticTable.Count - 1;
        if (age >= _table.Count)
            throw new HpackDecodingException($"A header refers to index {index}, which is beyond the table.");
        return _table[age];
    }

    private void UpdateTableSize(int size)
    {
        if (size > _table.Capacity)
            throw new HpackDecodingException($"A dynamic table size update to {size} exceeds the limit of {_table.Capacity}.");
        _table.Resize(size);
    }

    // Section 5.2.
    private static string DecodeString(ref ReadOnlySpan<byte> block)
    {
        var huffman = !block.IsEmpty && (block[0] & 0x80) != 0;
        var length = HpackInteger.Decode(ref block, 7);
        if (length > block.Length)
            throw new HpackDecodingException("The header block ends inside a string.");
        var octets = block[..length];
        block = block[length..];
        if (!huffman)
            return Encoding.Latin1.GetString(octets);

        var buffer = ArrayPool<byte>.Shared.Rent(HpackHuffman.GetMaxDecodedLength(length));
        try
        {
            return Encoding.Latin1.GetString(buffer, 0, HpackHuffman.Decode(octets, buffer));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
