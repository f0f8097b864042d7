namespace BuildKit.Session.FileSync.Walk;

/// <summary>The bits of Go's <c>os.FileMode</c>, in which fsutil sends modes; they are not those of <c>st_mode</c>.</summary>
internal static class GoFileMode
{
    public const uint Directory = 1u << 31;
    public const uint Symlink = 1u << 27;
    public const uint Device = 1u << 26;
    public const uint NamedPipe = 1u << 25;
    public const uint SetUid = 1u << 23;
    public const uint SetGid = 1u << 22;
    public const uint CharDevice = 1u << 21;
    public const uint Sticky = 1u << 20;

    /// <summary>The bits of the types above. None of them means a regular file, the only kind that the receiver asks for the content of.</summary>
    public const uint Type = Directory | Symlink | Device | NamedPipe | CharDevice;

    private const uint FormatMask = 0xF000;
    private const uint FormatFifo = 0x1000;
    private const uint FormatCharDevice = 0x2000;
    private const uint FormatDirectory = 0x4000;
    private const uint FormatBlockDevice = 0x6000;
    private const uint FormatSymlink = 0xA000;
    private const uint FormatSocket = 0xC000;

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
