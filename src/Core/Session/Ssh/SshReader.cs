using System.Buffers.Binary;

namespace BuildKit.Session.Ssh;

/// <summary>Reads SSH's data types (RFC 4251, section 5). False means that the data end too early.</summary>
internal ref struct SshReader(ReadOnlySpan<byte> data)
{
    /// <summary>What has not been read.</summary>
    public ReadOnlySpan<byte> Rest { get; private set; } = data;

    public bool TryReadUInt32(out uint value)
    {
        value = 0;
        if (Rest.Length < sizeof(uint))
            return false;
        value = BinaryPrimitives.ReadUInt32BigEndian(Rest);
        Rest = Rest[sizeof(uint)..];
        return true;
    }

    public bool TryReadString(out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!TryReadUInt32(out var length) || length > (uint)Rest.Length)
            return false;
        value = Rest[..(int)length];
        Rest = Rest[(int)length..];
        return true;
    }

    /// <summary>Reads a number that is not negative, without the zeroes before it.</summary>
    public bool TryReadMpint(out ReadOnlySpan<byte> value)
    {
        if (!TryReadString(out value) || (value.Length > 0 && value[0] >= 0x80))
            return false;
        value = value.TrimStart((byte)0);
        return true;
    }
}
