using System.Buffers;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>Reads the extended attributes of files. One user at a time.</summary>
internal sealed unsafe class LinuxXattrs
{
    private const int FirstTry = 256;

    // File systems that have none, so that it need not be asked for every file.
    private readonly HashSet<ulong> _devicesWithout = [];

    /// <summary>Adds the attributes of a file, but not those of a symbolic link's target. False with an error in <see cref="LinuxNative.LastError"/>.</summary>
    public bool TryRead(byte* path, ulong device, List<KeyValuePair<byte[], byte[]>> xattrs)
    {
        if (_devicesWithout.Contains(device))
            return true;
        var names = stackalloc byte[FirstTry];
        var length = LinuxNative.ListXattr(path, names, FirstTry);
        if (length == 0)
            return true;
        if (length > 0)
        {
            ReadValues(path, new ReadOnlySpan<byte>(names, (int)length), xattrs);
            return true;
        }

        if (LinuxNative.LastError == LinuxNative.NotSupported)
        {
            _devicesWithout.Add(device);
            return true;
        }

        var list = ReadLong(path, null);
        if (list is null)
            return false;
        ReadValues(path, list, xattrs);
        return true;
    }

    private static void ReadValues(byte* path, ReadOnlySpan<byte> names, List<KeyValuePair<byte[], byte[]>> xattrs)
    {
        while (names.Length > 0)
        {
            var end = names.IndexOf((byte)0);
            var name = end < 0 ? names : names[..end];
            names = end < 0 ? default : names[(end + 1)..];
            if (name.IsEmpty || name.StartsWith("com.apple."u8))
                continue;
            // As upstream, an attribute that may not be read (or is gone) is left out.
            fixed (byte* terminated = (byte[])[.. name, 0])
            {
                var value = ReadShort(path, terminated) ?? ReadLong(path, terminated);
                if (value is not null)
                    xattrs.Add(new(name.ToArray(), value));
            }
        }
    }

    private static byte[]? ReadShort(byte* path, byte* name)
    {
        var value = stackalloc byte[FirstTry];
        var length = LinuxNative.GetXattr(path, name, value, FirstTry);
        return length < 0 ? null : new ReadOnlySpan<byte>(value, (int)length).ToArray();
    }

    /// <summary>Reads a value, or without a name the list of names, of any length; null with the error where there is one.</summary>
    private static byte[]? ReadLong(byte* path, byte* name)
    {
        while (true)
        {
            if (LinuxNative.LastError != LinuxNative.OutOfRange)
                return null;
            var length = Read(null, 0);
            if (length < 0)
                return null;
            var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, (int)length));
            try
            {
                fixed (byte* start = buffer)
                {
                    length = Read(start, buffer.Length);
                    if (length >= 0)
                        return buffer.AsSpan(0, (int)length).ToArray();
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        nint Read(byte* start, int length) => name is null ? LinuxNative.ListXattr(path, start, length) : LinuxNative.GetXattr(path, name, start, length);
    }
}
