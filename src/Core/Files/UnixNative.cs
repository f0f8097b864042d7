using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Files;

/// <summary>
/// System calls for which .NET has no method. "libc" is found with glibc and with musl alike. The layouts are those of 64-bit systems;
/// nothing else is asked for.
/// </summary>
internal static partial class UnixNative
{
    private const int CurrentDirectory = -100;
    private const int DoNotFollow = 0x100;
    private const uint StatxType = 1;
    private const uint TypeMask = 0xF000;
    private const uint RegularFile = 0x8000;
    private const uint CharacterDevice = 0x2000;
    private const uint BlockDevice = 0x6000;
    private const int StatxSize = 256;
    private const int StatxModeOffset = 28;

    /// <summary>A <c>struct timespec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct Timespec
    {
        public readonly nint Seconds;
        public readonly nint Nanoseconds;

        public Timespec(long nanoseconds)
        {
            var (seconds, rest) = Math.DivRem(nanoseconds, 1_000_000_000);
            // Before 1970 the seconds are rounded down and the nanoseconds stay positive.
            Seconds = (nint)(rest < 0 ? seconds - 1 : seconds);
            Nanoseconds = (nint)(rest < 0 ? rest + 1_000_000_000 : rest);
        }
    }

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeDirectory(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeSymbolicLink(string target, string path);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeHardLink(string existing, string path);

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(string from, string to);

    /// <summary>Closes a file with the result of <c>close</c>, which disposing the handle would swallow.</summary>
    internal static int Close(SafeFileHandle file)
    {
        var descriptor = (int)file.DangerousGetHandle();
        file.SetHandleAsInvalid();
        return CloseDescriptor(descriptor);
    }

    /// <summary>Makes a device node (Linux).</summary>
    internal static int MakeDevice(string path, uint permissions, bool character, uint major, uint minor)
    {
        var mode = permissions | (character ? CharacterDevice : BlockDevice);
        // The layout of dev_t, the same in glibc and musl.
        var device = ((ulong)(major & 0xFFFFF000) << 32) | ((major & 0xFFFu) << 8) | ((ulong)(minor & 0xFFFFFF00) << 12) | (minor & 0xFFu);
        try
        {
            return MakeNode(path, mode, device);
        }
        catch (EntryPointNotFoundException)
        {
            // glibc before 2.33 has mknod in its headers only.
            return MakeNodeBeforeGlibc233(0, path, mode, in device);
        }
    }

    /// <summary>Sets both times of an open file (Linux).</summary>
    internal static unsafe int SetTimes(SafeHandle file, long nanoseconds)
    {
        var times = stackalloc Timespec[2] { new(nanoseconds), new(nanoseconds) };
        return SetFileTimes(file, times);
    }

    /// <summary>Sets both times of a path without following a link (Linux).</summary>
    internal static unsafe int SetTimes(string path, long nanoseconds)
    {
        var times = stackalloc Timespec[2] { new(nanoseconds), new(nanoseconds) };
        return SetPathTimes(CurrentDirectory, path, times, DoNotFollow);
    }

    [LibraryImport("libc", EntryPoint = "fsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetXattr(SafeHandle file, string name, byte[] value, nuint size, int flags);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetXattr(string path, string name, byte[] value, nuint size, int flags);

    /// <summary>Whether a path is, links followed, something else than a regular file or a directory's name: a device or a pipe (Linux). False where it can't be told.</summary>
    internal static unsafe bool IsSpecialFile(string path)
    {
        // statx has one layout on all machines; by number, because musl has had a function for it only since 1.2.5.
        var number = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 332,
            Architecture.Arm64 => 291,
            _ => -1,
        };
        if (number < 0)
            return false;
        var buffer = stackalloc byte[StatxSize];
        if (Statx(number, CurrentDirectory, path, 0, StatxType, buffer) != 0)
            return false;
        return (*(ushort*)(buffer + StatxModeOffset) & TypeMask) != RegularFile;
    }

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "mknod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeNode(string path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "__xmknod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeNodeBeforeGlibc233(int version, string path, uint mode, in ulong device);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    private static unsafe partial int SetFileTimes(SafeHandle file, Timespec* times);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int SetPathTimes(int directory, string path, Timespec* times, int flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint Statx(nint number, int directory, string path, int flags, uint mask, byte* buffer);
}
