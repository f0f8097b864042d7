namespace BuildKit.Session;

/// <summary>The bits of Go's <c>os.FileMode</c>, in which fsutil sends modes. Not those of <c>st_mode</c>.</summary>
internal static class GoFileMode
{
    public const uint Directory = 1u << 31;
    public const uint Symlink = 1u << 27;
    public const uint Device = 1u << 26;
    public const uint NamedPipe = 1u << 25;
    public const uint Socket = 1u << 24;
    public const uint SetUid = 1u << 23;
    public const uint SetGid = 1u << 22;
    public const uint CharDevice = 1u << 21;
    public const uint Sticky = 1u << 20;
    public const uint Irregular = 1u << 19;

    /// <summary>Go's <c>os.ModeType</c>; none of these bits means a regular file, the only kind whose content is sent.</summary>
    public const uint TypeMask = Directory | Symlink | Device | NamedPipe | Socket | CharDevice | Irregular;

    private const uint FormatMask = 0xF000;
    private const uint FormatFifo = 0x1000;
    private const uint FormatCharDevice = 0x2000;
    private const uint FormatDirectory = 0x4000;
    private const uint FormatBlockDevice = 0x6000;
    private const uint FormatSymlink = 0xA000;
    private const uint FormatSocket = 0xC000;

    /// <summary>The permission bits with setuid, setgid and sticky, as <c>chmod</c> takes them.</summary>
    public static UnixFileMode Permissions(uint mode) =>
        (UnixFileMode)(mode & 0x1FF)
        | ((mode & SetUid) != 0 ? UnixFileMode.SetUser : 0)
        | ((mode & SetGid) != 0 ? UnixFileMode.SetGroup : 0)
        | ((mode & Sticky) != 0 ? UnixFileMode.StickyBit : 0);

    /// <summary>Translates <c>st_mode</c>. A socket becomes a regular file, as upstream clears its bit.</summary>
    public static uint FromUnix(uint mode)
    {
        var result = mode & 0x1FF;
        result |= (mode & FormatMask) switch
        {
            FormatFifo => NamedPipe,
            FormatCharDevice => Device | CharDevice,
            FormatDirectory => Directory,
            FormatBlockDevice => Device,
            FormatSymlink => Symlink,
            _ => 0,
        };
        result |= (mode & 0x800) != 0 ? SetUid : 0;
        result |= (mode & 0x400) != 0 ? SetGid : 0;
        result |= (mode & 0x200) != 0 ? Sticky : 0;
        return result;
    }

    public static bool IsSocket(uint mode) => (mode & FormatMask) == FormatSocket;
}
