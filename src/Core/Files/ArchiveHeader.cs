using System.Text;

namespace BuildKit.Files;

/// <summary>What the first bytes of a context say it is.</summary>
internal enum ArchiveKind
{
    /// <summary>A tar archive whose first block is the header of a file.</summary>
    Tar,

    /// <summary>A tar archive whose first block announces more about the first file (PAX, or GNU's long names).</summary>
    ExtendedTar,

    /// <summary>A tar archive compressed with gzip, bzip2 or xz, as far as one can tell.</summary>
    Compressed,

    /// <summary>Text: a Dockerfile.</summary>
    Text,

    /// <summary>Nothing at all.</summary>
    Empty,

    /// <summary>Something that no daemon unpacks.</summary>
    Other,
}

/// <summary>Tells archives by their first bytes, as the daemon does (moby/buildkit frontend/dockerui isArchive).</summary>
internal static class ArchiveHeader
{
    /// <summary>How many bytes are looked at: two blocks of a tar archive.</summary>
    public const int Length = 2 * BlockSize;

    private const int BlockSize = 512;
    private const int ChecksumOffset = 148;
    private const int ChecksumLength = 8;
    private const int TypeOffset = 156;

    private static readonly byte[][] CompressedMagic = [[0x42, 0x5A, 0x68], [0x1F, 0x8B, 0x08], [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]];

    // zstd: the one other compression whose beginning may look like text.
    private static readonly byte[] UnknownMagic = [0x28, 0xB5, 0x2F, 0xFD];

    /// <summary>
    /// What makes the daemon see an archive in one of <see cref="ArchiveKind.ExtendedTar"/>: it looks at two blocks, and finds no file's header in them. A global
    /// header, which it skips when it unpacks, is one.
    /// </summary>
    public static ReadOnlyMemory<byte> GlobalHeader { get; } = CreateGlobalHeader();

    public static ArchiveKind Detect(ReadOnlySpan<byte> head)
    {
        if (head.IsEmpty)
            return ArchiveKind.Empty;
        foreach (var magic in CompressedMagic)
            if (head.StartsWith(magic))
                return ArchiveKind.Compressed;
        if (head.Length >= BlockSize && HasChecksum(head[..BlockSize]))
            return head[TypeOffset] is (byte)'x' or (byte)'X' or (byte)'L' or (byte)'K' ? ArchiveKind.ExtendedTar : ArchiveKind.Tar;
        return !head.StartsWith(UnknownMagic) && IsText(head) ? ArchiveKind.Text : ArchiveKind.Other;
    }

    /// <summary>Whether a block of 512 bytes is a header of a tar archive: its sum is right.</summary>
    public static bool HasChecksum(ReadOnlySpan<byte> block)
    {
        var text = Encoding.ASCII.GetString(block.Slice(ChecksumOffset, ChecksumLength)).Trim(' ', '\0');
        var expected = 0;
        foreach (var digit in text)
        {
            if (digit is < '0' or > '7')
                return false;
            expected = expected * 8 + (digit - '0');
        }
        // Some old programs summed signed bytes.
        return text.Length > 0 && (expected == Sum(block, isSigned: false) || expected == Sum(block, isSigned: true));
    }

    private static int Sum(ReadOnlySpan<byte> block, bool isSigned)
    {
        var sum = 0;
        for (var i = 0; i < block.Length; i++)
            sum += i is >= ChecksumOffset and < ChecksumOffset + ChecksumLength ? ' ' : isSigned ? (sbyte)block[i] : block[i];
        return sum;
    }

    private static bool IsText(ReadOnlySpan<byte> head)
    {
        foreach (var value in head)
            if (value < ' ' && value is not ((byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f'))
                return false;
        return true;
    }

    private static byte[] CreateGlobalHeader()
    {
        const string Record = "19 comment=context\n";
        var header = new byte[Length];
        Write(0, "pax_global_header");
        Write(100, "0000644\0");
        Write(108, "0000000\0");
        Write(116, "0000000\0");
        Write(124, $"{Convert.ToString(Record.Length, 8).PadLeft(11, '0')}\0");
        Write(136, "00000000000\0");
        header[TypeOffset] = (byte)'g';
        Write(257, "ustar\0" + "00");
        Write(ChecksumOffset, Convert.ToString(Sum(header.AsSpan(0, BlockSize), isSigned: false), 8).PadLeft(6, '0') + "\0 ");
        Write(BlockSize, Record);
        return header;

        void Write(int offset, string text) => Encoding.ASCII.GetBytes(text, header.AsSpan(offset));
    }
}
