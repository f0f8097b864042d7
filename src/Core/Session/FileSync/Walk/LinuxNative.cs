using System.Runtime.InteropServices;

namespace BuildKit.Session.FileSync.Walk;

/// <summary>
/// The system calls of a walk. <c>statx</c> and <c>getdents64</c> go through libc's <c>syscall</c>: their structures are the kernel's and the same
/// for every libc and processor, whereas <c>struct stat</c> differs by processor and old versions of glibc and musl lack the newer wrappers.
/// </summary>
internal static unsafe partial class LinuxNative
{
    public const int AtCurrentDirectory = -100;
    public const int AtNoFollow = 0x100;
    public const int AtNoAutomount = 0x800;
    public const uint StatxBasicStats = 0x7FF;

    public const int OpenNonBlocking = 0x800;
    public const int OpenCloseOnExec = 0x80000;

    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int AccessDenied = 13;
    public const int NotPermitted = 1;
    public const int NotADirectory = 20;
    public const int OutOfRange = 34;
    public const int NotSupported = 95;

    private static readonly bool IsArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Whether the numbers below are those of this machine.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public static int OpenDirectory => IsArm64 ? 0x4000 : 0x10000;

    public static int OpenNoFollow => IsArm64 ? 0x8000 : 0x20000;

    public static int LastError => Marshal.GetLastPInvokeError();

    public static int Statx(byte* path, Statx* result) =>
        (int)SystemCall(IsArm64 ? 291 : 332, AtCurrentDirectory, (nint)path, AtNoFollow | AtNoAutomount, (nint)StatxBasicStats, (nint)result);

    public static int GetDirectoryEntries(int descriptor, byte* buffer, int length) =>
        (int)SystemCall(IsArm64 ? 61 : 217, descriptor, (nint)buffer, length, 0, 0);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    public static partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    public static partial nint ReadLink(byte* path, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    public static partial nint ListXattr(byte* path, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    public static partial nint GetXattr(byte* path, byte* name, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth, nint fifth);
}

/// <summary>The kernel's <c>struct statx</c> (256 bytes; linux/stat.h).</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Statx
{
    [FieldOffset(16)]
    public uint LinkCount;

    [FieldOffset(20)]
    public uint Uid;

    [FieldOffset(24)]
    public uint Gid;

    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong Inode;

    [FieldOffset(40)]
    public ulong Size;

    [FieldOffset(112)]
    public long ModifiedSeconds;

    [FieldOffset(120)]
    public uint ModifiedNanoseconds;

    [FieldOffset(128)]
    public uint SpecialMajor;

    [FieldOffset(132)]
    public uint SpecialMinor;

    [FieldOffset(136)]
    public uint DeviceMajor;

    [FieldOffset(140)]
    public uint DeviceMinor;
}
