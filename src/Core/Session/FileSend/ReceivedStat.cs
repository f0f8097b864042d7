using System.Text;
using BuildKit.Protocol.FileSync;

namespace BuildKit.Session.FileSend;

/// <summary>An extended attribute: a name such as <c>user.mime_type</c> and its bytes.</summary>
internal readonly record struct ExtendedAttribute(string Name, byte[] Value);

/// <summary>What an entry gets besides its content: mode (Go's bits), modification time in nanoseconds since 1970, extended attributes or null. Owner and group are our own.</summary>
internal readonly record struct EntryMetadata(uint Mode, long ModTime, ExtendedAttribute[]? Xattrs);

/// <summary>fsutil's <c>Stat</c>; the two paths are views into the message it came in.</summary>
internal readonly ref struct ReceivedStat
{
    private ReceivedStat(ReadOnlySpan<byte> path, ReadOnlySpan<byte> linkname, long size, long devMajor, long devMinor, EntryMetadata metadata)
    {
        Path = path;
        Linkname = linkname;
        Size = size;
        DevMajor = devMajor;
        DevMinor = devMinor;
        Metadata = metadata;
    }

    public ReadOnlySpan<byte> Path { get; }

    public ReadOnlySpan<byte> Linkname { get; }

    public long Size { get; }

    public long DevMajor { get; }

    public long DevMinor { get; }

    public EntryMetadata Metadata { get; }

    /// <exception cref="FormatException">The bytes are not a protobuf message.</exception>
    public static ReceivedStat Parse(ReadOnlySpan<byte> message)
    {
        var reader = new WireReader(message);
        ReadOnlySpan<byte> path = default;
        ReadOnlySpan<byte> linkname = default;
        uint mode = 0;
        long size = 0, modTime = 0, devMajor = 0, devMinor = 0;
        List<ExtendedAttribute>? xattrs = null;
        int field;
        while ((field = reader.ReadField()) != 0)
        {
            switch (field)
            {
                case Stat.PathFieldNumber:
                    path = reader.ReadBytes();
                    break;
                case Stat.ModeFieldNumber:
                    mode = (uint)reader.ReadUInt64();
                    break;
                case Stat.SizeFieldNumber:
                    size = (long)reader.ReadUInt64();
                    break;
                case Stat.ModTimeFieldNumber:
                    modTime = (long)reader.ReadUInt64();
                    break;
                case Stat.LinknameFieldNumber:
                    linkname = reader.ReadBytes();
                    break;
                case Stat.DevmajorFieldNumber:
                    devMajor = (long)reader.ReadUInt64();
                    break;
                case Stat.DevminorFieldNumber:
                    devMinor = (long)reader.ReadUInt64();
                    break;
                case Stat.XattrsFieldNumber:
                    (xattrs ??= []).Add(ParseXattr(reader.ReadBytes()));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new ReceivedStat(path, linkname, size, devMajor, devMinor, new EntryMetadata(mode, modTime, xattrs?.ToArray()));
    }

    // A map entry is a message with the key as field 1 and the value as field 2.
    private static ExtendedAttribute ParseXattr(ReadOnlySpan<byte> entry)
    {
        var reader = new WireReader(entry);
        var name = string.Empty;
        byte[] value = [];
        int field;
        while ((field = reader.ReadField()) != 0)
        {
            if (field == 1)
                name = Encoding.UTF8.GetString(reader.ReadBytes());
            else if (field == 2)
                value = reader.ReadBytes().ToArray();
            else
                reader.Skip();
        }
        return new ExtendedAttribute(name, value);
    }
}
