using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace BuildKit.Session.Ssh;

/// <summary>Writes SSH's data types (RFC 4251, section 5). For what is not secret.</summary>
internal sealed class SshWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public void WriteByte(byte value) => _buffer.Write([value]);

    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.GetSpan(sizeof(uint)), value);
        _buffer.Advance(sizeof(uint));
    }

    public void WriteString(ReadOnlySpan<byte> value)
    {
        WriteUInt32((uint)value.Length);
        _buffer.Write(value);
    }

    public void WriteString(string value) => WriteString(Encoding.ASCII.GetBytes(value));

    /// <summary>Writes a number that is not negative.</summary>
    public void WriteMpint(ReadOnlySpan<byte> value)
    {
        var digits = value.TrimStart((byte)0);
        // A leading bit that is set would be a sign.
        var sign = digits.Length > 0 && digits[0] >= 0x80;
        WriteUInt32((uint)digits.Length + (sign ? 1u : 0));
        if (sign)
            WriteByte(0);
        _buffer.Write(digits);
    }

    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();
}
