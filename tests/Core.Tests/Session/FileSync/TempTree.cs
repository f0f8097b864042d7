using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace BuildKit.Tests.Session.FileSync;

/// <summary>A directory with files for one test.</summary>
internal sealed partial class TempTree : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("filesync-").FullName;

    public string Full(string path) => Path.Join(Root, path);

    public TempTree Dir(string path)
    {
        Directory.CreateDirectory(Full(path));
        return this;
    }

    public TempTree File(string path, string content = "")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Full(path))!);
        System.IO.File.WriteAllText(Full(path), content);
        return this;
    }

    public TempTree Files(params string[] paths)
    {
        foreach (var path in paths)
            File(path);
        return this;
    }

    public TempTree Symlink(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Full(path))!);
        System.IO.File.CreateSymbolicLink(Full(path), target);
        return this;
    }

    public TempTree Mode(string path, int mode)
    {
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(Full(path), (UnixFileMode)mode);
        return this;
    }

    public TempTree HardLink(string path, string existing)
    {
        Check(link(Bytes(Full(existing)), Bytes(Full(path))));
        return this;
    }

    public TempTree Fifo(string path)
    {
        Check(mkfifo(Bytes(Full(path)), 0x1A4));
        return this;
    }

    public TempTree Socket(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Full(path) + ".bound"));
        // Under another name, for disposing a bound socket removes its file.
        System.IO.File.Move(Full(path) + ".bound", Full(path));
        return this;
    }

    /// <summary>A file whose name is these bytes.</summary>
    public TempTree FileNamed(ReadOnlySpan<byte> name)
    {
        var descriptor = creat([.. Encoding.UTF8.GetBytes(Root), (byte)'/', .. name, 0], 0x1A4);
        Check(descriptor < 0 ? -1 : 0);
        Check(close(descriptor));
        return this;
    }

    /// <summary>Sets an extended attribute; false where the file system has none.</summary>
    public bool TrySetXattr(string path, string name, byte[] value) => setxattr(Bytes(Full(path)), Bytes(name), value, value.Length, 0) == 0;

    /// <summary>Makes a device; false without the right to.</summary>
    public bool TryMakeDevice(string path, bool character, ulong major, ulong minor) =>
        mknod(Bytes(Full(path)), (character ? 0x2000u : 0x6000u) | 0x1A4, (major << 8) | (minor & 0xff) | ((minor & ~0xfful) << 12)) == 0;

    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.Delete(Root, recursive: true);
            return;
        }

        // .NET can't delete names that are not UTF-8, and what a test made unreadable can't be deleted at all.
        using var chmod = System.Diagnostics.Process.Start("chmod", ["-R", "u+rwx", Root]);
        chmod.WaitForExit();
        using var remove = System.Diagnostics.Process.Start("rm", ["-rf", Root]);
        remove.WaitForExit();
    }

    private static byte[] Bytes(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static void Check(int result)
    {
        if (result != 0)
            throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int link(byte[] existing, byte[] path);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mkfifo(byte[] path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mknod(byte[] path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int creat(byte[] path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setxattr(byte[] path, byte[] name, byte[] value, nint length, int flags);
}
