using System.Buffers;
using System.Buffers.Binary;

namespace BuildKit.Grpc;

/// <summary>
/// Gives repeated metadata keys a header field each. SocketsHttpHandler sends the values of one name as a single field, joined by commas, and knows no other
/// way; the daemon reads <c>x-docker-expose-session-grpc-method</c> field by field and would see one method with a strange name. So <see
/// cref="RequestHeaderWriter"/> joins such values with a character that no metadata value can hold, and this takes them apart in the HEADERS frames that go
/// out.
/// </summary>
/// <remarks>
/// It relies on one thing that .NET does and the protocol does not promise: that such a field is a literal that is neither indexed nor Huffman coded (RFC
/// 7541, sections 6.2.2 and 5.2). A field that is anything else passes as it is, and the peer refuses the separator as an invalid value: a loud failure.
/// </remarks>
internal sealed class RepeatedHeaderSplitter
{
    public const char Separator = '\u001f';

    private const int PrefaceLength = 24; // RFC 9113, section 3.4
    private const int FrameHeaderLength = 9; // RFC 9113, section 4.1
    private const byte HeadersType = 0x1; // RFC 9113, section 6.2
    private const byte EndHeaders = 0x4;
    private const byte PaddedOrPriority = 0x28;
    private const byte Huffman = 0x80;

    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly ArrayBufferWriter<byte> _block = new();
    private byte[] _held = [];
    private int _skip = PrefaceLength;

    /// <summary>The bytes to send instead of the given ones: mostly the same memory. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> Split(ReadOnlyMemory<byte> data)
    {
        if (_held.Length > 0)
        {
            data = (byte[])[.. _held, .. data.Span];
            _held = [];
        }

        _output.ResetWrittenCount();
        var taken = 0;
        var position = 0;
        while (position < data.Length)
        {
            var rest = data.Span[position..];
            if (_skip > 0)
            {
                var skipped = Math.Min(_skip, rest.Length);
                position += skipped;
                _skip -= skipped;
                continue;
            }

            var length = rest.Length < FrameHeaderLength ? FrameHeaderLength : FrameHeaderLength + (rest[0] << 16 | rest[1] << 8 | rest[2]);
            var isWholeBlock = rest.Length >= FrameHeaderLength && rest[3] == HeadersType && (rest[4] & (EndHeaders | PaddedOrPriority)) == EndHeaders;
            if (rest.Length < FrameHeaderLength || (isWholeBlock && rest.Length < length))
            {
                _held = rest.ToArray();
                data = data[..position];
                break;
            }

            if (isWholeBlock && rest[FrameHeaderLength..length].Contains((byte)Separator))
            {
                _output.Write(data.Span[taken..position]);
                WriteSplitFrame(rest[..length]);
                position += length;
                taken = position;
                continue;
            }

            _skip = length;
        }

        if (taken == 0)
            return data;
        _output.Write(data.Span[taken..]);
        return _output.WrittenMemory;
    }

    private void WriteSplitFrame(ReadOnlySpan<byte> frame)
    {
        SplitBlock(frame[FrameHeaderLength..]);
        var header = _output.GetSpan(FrameHeaderLength);
        frame[..FrameHeaderLength].CopyTo(header);
        var length = _block.WrittenCount;
        header[0] = (byte)(length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(header[1..], (ushort)length);
        _output.Advance(FrameHeaderLength);
        _output.Write(_block.WrittenSpan);
    }

    // RFC 7541, section 6: the first bits of a field tell how it is written.
    private void SplitBlock(ReadOnlySpan<byte> block)
    {
        _block.ResetWrittenCount();
        for (var next = 0; next < block.Length;)
        {
            var start = next;
            var first = block[next];
            if ((first & 0x80) != 0)
                ReadInteger(block, ref next, 7);
            else if ((first & 0xe0) == 0x20)
                ReadInteger(block, ref next, 5);
            else
            {
                var isIndexed = (first & 0x40) != 0;
                if (ReadInteger(block, ref next, isIndexed ? 6 : 4) == 0)
                    ReadString(block, ref next);
                var name = block[start..next];
                var isHuffman = (block[next] & Huffman) != 0;
                var value = ReadString(block, ref next);
                if (!isIndexed && !isHuffman && value.Contains((byte)Separator))
                {
                    WriteFields(name, value);
                    continue;
                }
            }

            _block.Write(block[start..next]);
        }
    }

    private void WriteFields(ReadOnlySpan<byte> name, ReadOnlySpan<byte> values)
    {
        while (true)
        {
            var end = values.IndexOf((byte)Separator);
            var value = end < 0 ? values : values[..end];
            _block.Write(name);
            WriteLength(value.Length);
            _block.Write(value);
            if (end < 0)
                return;
            values = values[(end + 1)..];
        }
    }

    // RFC 7541, section 5.1.
    private static int ReadInteger(ReadOnlySpan<byte> block, ref int next, int prefixBits)
    {
        var max = (1 << prefixBits) - 1;
        var value = block[next++] & max;
        if (value < max)
            return value;
        for (var shift = 0; ; shift += 7)
        {
            var part = block[next++];
            value += (part & 0x7f) << shift;
            if ((part & 0x80) == 0)
                return value;
        }
    }

    private static ReadOnlySpan<byte> ReadString(ReadOnlySpan<byte> block, ref int next)
    {
        var length = ReadInteger(block, ref next, 7);
        var value = block.Slice(next, length);
        next += length;
        return value;
    }

    private void WriteLength(int length)
    {
        const int Max = 0x7f;
        if (length < Max)
        {
            _block.Write([(byte)length]);
            return;
        }

        _block.Write([(byte)Max]);
        for (length -= Max; length >= 0x80; length >>= 7)
            _block.Write([(byte)(length | 0x80)]);
        _block.Write([(byte)length]);
    }
}
