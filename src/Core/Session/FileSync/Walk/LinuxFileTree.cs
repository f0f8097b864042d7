using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// A directory on Linux, by system calls: .NET's own file API has no names that are not UTF-8, no inodes, owners, devices or extended attributes, and no
/// nanoseconds. One user at a time, but for its readers.
/// </summary>
internal sealed unsafe class LinuxFileTree : FileTree
{
    private const int ListBufferLength = 32 * 1024;
    private const int ScratchLength = 512;
    private const int MaxPath = 4096;

    private readonly byte[] _root;
    private readonly LinuxXattrs _xattrs = new();

    /// <param name="root">An absolute path; a symbolic link is followed.</param>
    public LinuxFileTree(string root) => _root = Encoding.UTF8.GetBytes(root.TrimEnd('/'));

    public override bool TryList(ReadOnlySpan<byte> path, DirectoryListing listing)
    {
        listing.Clear();
        var descriptor = OpenDescriptor(path, LinuxNative.OpenDirectory);
        if (descriptor < 0)
            return FailUnlessMissing("open", path);
        var buffer = ArrayPool<byte>.Shared.Rent(ListBufferLength);
        try
        {
            fixed (byte* start = buffer)
            {
                int count;
                while ((count = LinuxNative.GetDirectoryEntries(descriptor, start, buffer.Length)) != 0)
                {
                    if (count > 0)
                        AddEntries(path, buffer.AsSpan(0, count), listing);
                    else if (LinuxNative.LastError != LinuxNative.Interrupted)
                        return FailUnlessMissing("list", path);
                }
            }
        }
        finally
        {
            _ = LinuxNative.Close(descriptor);
            ArrayPool<byte>.Shared.Return(buffer);
        }

        listing.Sort();
        return true;
    }

    public override bool TryStat(ReadOnlySpan<byte> path, FileStat stat)
    {
        using var full = new LinuxPath(_root, path, stackalloc byte[ScratchLength]);
        fixed (byte* name = full.Bytes)
        {
            Statx result;
            if (LinuxNative.Statx(name, &result) != 0)
                return FailUnlessMissing("stat", path);
            stat.Reset(path);
            stat.Mode = GoFileMode.FromUnix(result.Mode);
            stat.IsSocket = GoFileMode.IsSocket(result.Mode);
            stat.Uid = result.Uid;
            stat.Gid = result.Gid;
            stat.Size = stat.IsDirectory ? 0 : (long)result.Size;
            stat.ModTime = unchecked((result.ModifiedSeconds * 1_000_000_000) + result.ModifiedNanoseconds);
            stat.LinkCount = result.LinkCount;
            var device = ((ulong)result.DeviceMajor << 32) | result.DeviceMinor;
            stat.Identity = (device, result.Inode);
            if ((stat.Mode & GoFileMode.Device) != 0)
            {
                stat.DevMajor = result.SpecialMajor;
                stat.DevMinor = result.SpecialMinor;
            }

            if (stat.IsSymlink && !TryReadLink(name, stat))
                return FailUnlessMissing("readlink", path);
            return _xattrs.TryRead(name, device, stat.Xattrs) || FailUnlessMissing("read extended attributes", path);
        }
    }

    public override FileTreeReader CreateReader() => new Reader(this);

    public override string Display(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(_root) + "/" + Encoding.UTF8.GetString(path);

    private int OpenDescriptor(ReadOnlySpan<byte> path, int flags)
    {
        // The root itself may be a symbolic link; one that took the place of something below it is not followed.
        flags |= LinuxNative.OpenCloseOnExec | (path.IsEmpty ? 0 : LinuxNative.OpenNoFollow);
        using var full = new LinuxPath(_root, path.IsEmpty ? "."u8 : path, stackalloc byte[ScratchLength]);
        fixed (byte* name = full.Bytes)
        {
            int descriptor;
            do
                descriptor = LinuxNative.Open(name, flags);
            while (descriptor < 0 && LinuxNative.LastError == LinuxNative.Interrupted);
            return descriptor;
        }
    }

    /// <summary>Reads the kernel's <c>struct linux_dirent64</c> records.</summary>
    private void AddEntries(ReadOnlySpan<byte> path, ReadOnlySpan<byte> records, DirectoryListing listing)
    {
        const int LengthOffset = 16, TypeOffset = 18, NameOffset = 19;
        const byte TypeUnknown = 0, TypeDirectory = 4;
        for (; records.Length > 0; records = records[BinaryPrimitives.ReadUInt16LittleEndian(records[LengthOffset..])..])
        {
            var name = records[NameOffset..];
            name = name[..name.IndexOf((byte)0)];
            if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
                continue;
            var type = records[TypeOffset];
            if (type == TypeUnknown)
                AddByStat(path, name, listing);
            else
                listing.Add(name, type == TypeDirectory);
        }
    }

    /// <summary>For a file system that does not say in its directories what an entry is.</summary>
    private void AddByStat(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, DirectoryListing listing)
    {
        byte[] child = path.IsEmpty ? name.ToArray() : [.. path, (byte)'/', .. name];
        using var full = new LinuxPath(_root, child, stackalloc byte[ScratchLength]);
        fixed (byte* start = full.Bytes)
        {
            Statx result;
            if (LinuxNative.Statx(start, &result) == 0)
                listing.Add(name, (GoFileMode.FromUnix(result.Mode) & GoFileMode.Directory) != 0);
            else
                FailUnlessMissing("stat", child);
        }
    }

    private static bool TryReadLink(byte* name, FileStat stat)
    {
        var target = stackalloc byte[MaxPath];
        var length = LinuxNative.ReadLink(name, target, MaxPath);
        if (length >= 0)
            stat.SetLinkName(new ReadOnlySpan<byte>(target, (int)length));
        return length >= 0;
    }

    /// <summary>False for a file that is not there (any more); an exception for any other error.</summary>
    private bool FailUnlessMissing(string operation, ReadOnlySpan<byte> path) =>
        LinuxNative.LastError is LinuxNative.NoEntry or LinuxNative.NotADirectory ? false : throw Failure(operation, path);

    private FileTreeException Failure(string operation, ReadOnlySpan<byte> path)
    {
        var error = LinuxNative.LastError;
        return new FileTreeException(
            Display(path), $"{operation}: {Marshal.GetPInvokeErrorMessage(error)}", error is LinuxNative.AccessDenied or LinuxNative.NotPermitted);
    }

    private sealed class Reader(LinuxFileTree tree) : FileTreeReader
    {
        private int _descriptor = -1;
        private ReadOnlyMemory<byte> _path;

        public override void Open(ReadOnlyMemory<byte> path)
        {
            Close();
            // Not to wait for ever for a writer where a regular file has just been replaced by a pipe.
            _descriptor = tree.OpenDescriptor(path.Span, LinuxNative.OpenNonBlocking);
            if (_descriptor < 0)
                throw tree.Failure("open", path.Span);
            _path = path;
        }

        public override int Read(Span<byte> buffer)
        {
            fixed (byte* start = buffer)
            {
                while (true)
                {
                    var count = LinuxNative.Read(_descriptor, start, buffer.Length);
                    if (count >= 0)
                        return (int)count;
                    if (LinuxNative.LastError != LinuxNative.Interrupted)
                        throw tree.Failure("read", _path.Span);
                }
            }
        }

        public override void Close()
        {
            if (_descriptor >= 0)
                _ = LinuxNative.Close(_descriptor);
            _descriptor = -1;
        }
    }
}
