using System.Text;
using BuildKit.Protocol.FileSync;
using BuildKit.Session;
using BuildKit.Session.FileSend;

namespace BuildKit.Tests.Session.FileSend;

/// <summary>Short ways to say what the daemon sends.</summary>
internal static class Entries
{
    public const long Time = 1_700_000_000_123_456_789;
    public const uint Rw = 0x1A4;
    public const uint Rwx = 0x1ED;

    public static (Stat Stat, byte[]? Content) File(string path, string content, uint mode = Rw, long time = Time) => File(path, Encoding.UTF8.GetBytes(content), mode, time);

    public static (Stat Stat, byte[]? Content) File(string path, byte[] content, uint mode = Rw, long time = Time) =>
        (new Stat { Path = path, Mode = mode, Size = content.Length, ModTime = time }, content);

    public static (Stat Stat, byte[]? Content) Dir(string path, uint mode = Rwx, long time = Time) =>
        (new Stat { Path = path, Mode = GoFileMode.Directory | mode, ModTime = time }, null);

    public static (Stat Stat, byte[]? Content) Symlink(string path, string target, long time = Time) =>
        (new Stat { Path = path, Mode = GoFileMode.Symlink | 0x1FF, Linkname = target, ModTime = time }, null);

    public static (Stat Stat, byte[]? Content) HardLink(string path, string target) =>
        (new Stat { Path = path, Mode = Rw, Linkname = target, ModTime = Time }, null);

    public static (Stat Stat, byte[]? Content) Special(string path, uint mode, long major = 0, long minor = 0) =>
        (new Stat { Path = path, Mode = mode, Devmajor = major, Devminor = minor, ModTime = Time }, null);
}
