using System.Text;
using BuildKit.Files;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Oci;

/// <summary>Where a file lies in a tar archive.</summary>
/// <param name="Start">Where its first header begins.</param>
/// <param name="DataOffset">Where its content begins.</param>
/// <param name="Size">How many bytes it has.</param>
/// <param name="End">Where the next header begins. A hard link ends before its content, which is another entry's.</param>
internal readonly record struct OciTarEntry(long Start, long DataOffset, long Size, long End);

/// <summary>
/// What is where in a tar archive of a layout: found in one pass over its headers (POSIX pax, GNU tar manual «Basic Tar Format»). As when it is unpacked, the last
/// of several files with one name counts; what could not be unpacked safely is left out and reported.
/// </summary>
internal sealed class OciTarTable
{
    public const int BlockSize = 512;

    private const int MaxEntries = 1_000_000;
    private const int MaxExtension = 1 << 20;
    private const int MaxReported = 1000;

    private readonly string _location;
    private readonly SafeFileHandle _file;
    private readonly long _length;
    private readonly List<OciTarEntry> _indexes = [];

    private OciTarTable(string location, SafeFileHandle file)
    {
        _location = location;
        _file = file;
        _length = RandomAccess.GetLength(file);
    }

    public Dictionary<OciDigest, OciTarEntry> Blobs { get; } = [];

    /// <summary>Every <c>index.json</c>, in their order.</summary>
    public IReadOnlyList<OciTarEntry> Indexes => _indexes;

    public OciTarEntry? Index => _indexes.Count == 0 ? null : _indexes[^1];

    public OciTarEntry? Version { get; private set; }

    /// <summary>The other regular files, by their names: what <c>docker save</c> of before version 25 consists of.</summary>
    public Dictionary<string, OciTarEntry> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the other links lead, by their names.</summary>
    public Dictionary<string, string> Links { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of what was left out, and why.</summary>
    public List<(string Name, string Why)> Unsafe { get; } = [];

    /// <summary>Where the last entry ends.</summary>
    public long End { get; private set; }

    /// <summary>The end of the block that a position lies in.</summary>
    public static long Padded(long position) => (position + BlockSize - 1) / BlockSize * BlockSize;

    /// <summary>Reads the headers of an archive.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciArchiveInvalid</c>: it is cut off, or no tar archive.</exception>
    public static OciTarTable Read(string location, SafeFileHandle file, CancellationToken cancellationToken)
    {
        var table = new OciTarTable(location, file);
        table.ReadAll(cancellationToken);
        return table;
    }

    private void ReadAll(CancellationToken cancellationToken)
    {
        var header = new byte[BlockSize];
        var extension = new OciTarExtension();
        long start = -1;
        var count = 0;
        for (long at = 0; at < _length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!TryFill(header, at))
                throw OciErrors.ArchiveInvalid(_location, $"it is cut off in the header at byte {at}");
            // An archive ends with blocks of zeros; what follows them is none of its business.
            if (header.AsSpan().IndexOfAnyExcept((byte)0) < 0)
                break;
            if (!ArchiveHeader.HasChecksum(header))
                throw OciErrors.ArchiveInvalid(_location, $"what is at byte {at} is no header of a tar archive");
            if (++count > MaxEntries)
                throw OciErrors.ArchiveInvalid(_location, $"it has more than {MaxEntries} entries");
            start = start < 0 ? at : start;
            var type = OciTarHeader.Type(header);
            var size = extension.Size is { } given && !OciTarHeader.IsExtension(type) ? given : OciTarHeader.Size(header);
            if (OciTarHeader.HasNoContent(type))
                size = 0;
            var data = at + BlockSize;
            if (size < 0 || size > _length - data)
                throw OciErrors.ArchiveInvalid(_location, $"it is cut off: the entry at byte {at} has {size} bytes, and {_length - data} follow");
            var entry = new OciTarEntry(start, data, size, Padded(data + size));
            if (OciTarHeader.IsExtension(type))
            {
                extension.Add(type, ReadExtension(entry));
            }
            else
            {
                Add(extension.Name ?? OciTarHeader.Name(header), type, extension.LinkName ?? OciTarHeader.LinkName(header), extension.IsSparse, entry);
                extension = new OciTarExtension();
                start = -1;
                End = entry.End;
            }
            at = entry.End;
        }
    }

    private byte[] ReadExtension(OciTarEntry entry)
    {
        if (entry.Size > MaxExtension)
            throw OciErrors.ArchiveInvalid(_location, $"the name of the entry at byte {entry.Start} has {entry.Size} bytes");
        var bytes = new byte[entry.Size];
        return TryFill(bytes, entry.DataOffset) ? bytes : throw OciErrors.ArchiveInvalid(_location, $"it is cut off in the header at byte {entry.Start}");
    }

    private void Add(string name, char type, string linkName, bool isSparse, OciTarEntry entry)
    {
        if (!TryNormalize(name, out var path))
        {
            Report(name, "its name leads out of the layout");
            return;
        }
        var isBlob = OciLayout.TryReadBlobName(path, out var digest);
        if (!isBlob && path is not ("index.json" or "oci-layout"))
        {
            if (OciTarHeader.IsSymbolicLink(type) && (path == "blobs" || path.StartsWith("blobs/", StringComparison.Ordinal)))
                Report(name, $"it is a link to '{linkName}'");
            else if (OciTarHeader.IsFile(type) && !isSparse)
                Files[path] = entry;
            else if (OciTarHeader.IsSymbolicLink(type))
                Links[path] = linkName;
            return;
        }
        if (OciTarHeader.IsHardLink(type) && TryNormalize(linkName, out var target) && OciLayout.TryReadBlobName(target, out var other) && Blobs.TryGetValue(other, out var linked))
            entry = entry with { DataOffset = linked.DataOffset, Size = linked.Size };
        else if (isSparse || !OciTarHeader.IsFile(type))
        {
            Report(name, OciTarHeader.IsSymbolicLink(type) ? $"it is a link to '{linkName}'" : "it is no regular file");
            return;
        }
        if (isBlob)
            Blobs[digest] = entry;
        else if (path == "index.json")
            _indexes.Add(entry);
        else
            Version = entry;
    }

    private void Report(string name, string why)
    {
        if (Unsafe.Count < MaxReported)
            Unsafe.Add((name, why));
    }

    /// <summary>A name without <c>./</c>; false for one that leads elsewhere.</summary>
    private static bool TryNormalize(string name, out string path)
    {
        path = string.Join('/', name.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != "."));
        return !name.StartsWith('/') && !name.Contains('\\', StringComparison.Ordinal) && Array.IndexOf(path.Split('/'), "..") < 0;
    }

    private bool TryFill(Span<byte> buffer, long offset)
    {
        while (!buffer.IsEmpty)
        {
            var count = RandomAccess.Read(_file, buffer, offset);
            if (count == 0)
                return false;
            buffer = buffer[count..];
            offset += count;
        }
        return true;
    }
}
