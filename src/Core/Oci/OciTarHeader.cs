using System.Text;

namespace BuildKit.Oci;

/// <summary>The fields of a tar header (POSIX pax, «ustar Interchange Format»; GNU tar manual, «Basic Tar Format»).</summary>
internal static class OciTarHeader
{
    private const int NameLength = 100;
    private const int FileMode644 = 0b110_100_100;

    public static char Type(ReadOnlySpan<byte> header) => (char)header[156];

    public static bool IsFile(char type) => type is '0' or '\0' or '7';

    public static bool IsHardLink(char type) => type is '1';

    public static bool IsSymbolicLink(char type) => type is '2';

    /// <summary>Says more about the entry that follows it, or about all.</summary>
    public static bool IsExtension(char type) => type is 'x' or 'X' or 'g' or 'L' or 'K';

    /// <summary>Links, devices, directories and pipes, whatever their size field says.</summary>
    public static bool HasNoContent(char type) => type is >= '1' and <= '6';

    public static string Name(ReadOnlySpan<byte> header)
    {
        var name = Text(header[..100]);
        // GNU's own form has other things in the place of the prefix.
        var isPosix = header[257..].StartsWith("ustar\0"u8);
        return isPosix && Text(header.Slice(345, 155)) is { Length: > 0 } prefix ? $"{prefix}/{name}" : name;
    }

    public static string LinkName(ReadOnlySpan<byte> header) => Text(header.Slice(157, 100));

    /// <summary>The size of the content; -1 where it is none.</summary>
    public static long Size(ReadOnlySpan<byte> header)
    {
        var field = header.Slice(124, 12);
        if ((field[0] & 0x80) != 0)
            return Binary(field);
        long size = 0;
        foreach (var digit in Text(field).AsSpan().Trim(' '))
        {
            if (digit is < '0' or > '7')
                return -1;
            size = size * 8 + (digit - '0');
        }
        return size;
    }

    /// <summary>The header of a regular file that anybody may read, of the time 0; one with a name of more than 100 bytes comes after a pax header that has it.</summary>
    public static byte[] Create(string name, long size)
    {
        var header = new byte[OciTarTable.BlockSize];
        WriteOctal(header.AsSpan(100, 8), FileMode644);
        WriteOctal(header.AsSpan(108, 8), 0);
        WriteOctal(header.AsSpan(116, 8), 0);
        WriteOctal(header.AsSpan(136, 12), 0);
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        if (name.Length <= NameLength)
            return Resize(header, name, size);
        var record = OciTarExtension.PathRecord(name);
        var extension = Resize(header, "pax", record.Length);
        extension[156] = (byte)'x';
        WriteChecksum(extension);
        return [.. extension, .. record, .. new byte[OciTarTable.Padded(record.Length) - record.Length], .. Resize(header, name[..NameLength], size)];
    }

    /// <summary>A header for another file, with a name of at most 100 bytes: owner, mode and time stay.</summary>
    public static byte[] Resize(ReadOnlySpan<byte> header, string name, long size)
    {
        var result = header.ToArray();
        result.AsSpan(0, NameLength).Clear();
        Encoding.ASCII.GetBytes(name, result);
        if (header[257..].StartsWith("ustar\0"u8))
            result.AsSpan(345, 155).Clear();
        WriteOctal(result.AsSpan(124, 12), size);
        result[156] = (byte)'0';
        WriteChecksum(result);
        return result;
    }

    // The field itself counts as spaces.
    private static void WriteChecksum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var value in header)
            sum += value;
        WriteOctal(header.Slice(148, 7), sum);
    }

    private static void WriteOctal(Span<byte> field, long value)
    {
        if (value >> (3 * (field.Length - 1)) == 0)
        {
            Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(field.Length - 1, '0') + '\0', field);
            return;
        }
        field.Clear();
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(field[^8..], value);
        field[0] = 0x80;
    }

    // GNU's way to write what eleven octal digits do not hold: big-endian, the first bit set.
    private static long Binary(ReadOnlySpan<byte> field)
    {
        if (field[0] != 0x80 || field[1..4].IndexOfAnyExcept((byte)0) >= 0)
            return -1;
        return System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(field[4..]);
    }

    internal static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }
}
