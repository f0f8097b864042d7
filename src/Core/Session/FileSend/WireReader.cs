namespace BuildKit.Session.FileSend;

/// <summary>
/// Reads the fields of a protobuf message in place. The generated classes would copy every payload into a new <c>ByteString</c> and replace bytes of a path that are not UTF-8,
/// which an output must not do.
/// </summary>
internal ref struct WireReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _position;
    private int _wireType;

    /// <summary>How many bytes have been read.</summary>
    public readonly int Position => _position;

    /// <summary>The number of the next field, or 0 at the end.</summary>
    public int ReadField()
    {
        if (_position == _data.Length)
            return 0;
        var tag = ReadVarint();
        _wireType = (int)(tag & 7);
        var field = tag >> 3;
        if (field is 0 or > 0x1FFFFFFF)
            throw new FormatException("a field number is out of range");
        return (int)field;
    }

    public ulong ReadUInt64()
    {
        Expect(0);
        return ReadVarint();
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        Expect(2);
        return Take(ReadVarint());
    }

    public void Skip()
    {
        switch (_wireType)
        {
            case 0:
                ReadVarint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                Take(ReadVarint());
                break;
            case 5:
                Take(4);
                break;
            default:
                throw new FormatException($"a field has the unknown wire type {_wireType}");
        }
    }

    private readonly void Expect(int wireType)
    {
        if (_wireType != wireType)
            throw new FormatException($"a field has the wire type {_wireType} instead of {wireType}");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(_data.Length - _position))
            throw new FormatException("a field is longer than its message");
        var bytes = _data.Slice(_position, (int)length);
        _position += (int)length;
        return bytes;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_position == _data.Length)
                throw new FormatException("a message ends within a field");
            var next = _data[_position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw new FormatException("a varint is longer than 10 bytes");
    }
}
