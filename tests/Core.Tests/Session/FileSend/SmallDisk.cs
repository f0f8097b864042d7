using System.Runtime.InteropServices;
using Xunit;

namespace BuildKit.Tests.Session.FileSend;

/// <summary>A file system of 1 MiB, so that a disk is full for real. Needs root.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    public static SmallDisk Mount(string path, string options = "size=1m")
    {
        Skip.IfNot(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "mounting needs root");
        Directory.CreateDirectory(path);
        TemporaryDirectory.Run("mount", "-t", "tmpfs", "-o", options, "buildkit-test", path);
        return new SmallDisk(path);
    }

    // Lazily: a program that another test starts has our open files until it is on its own.
    public void Dispose() => TemporaryDirectory.Run("umount", "--lazy", _path);
}

internal static partial class TestNative
{
    [LibraryImport("libc", EntryPoint = "lgetxattr", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint GetXattr(string path, string name, byte[] value, nuint size);
}
