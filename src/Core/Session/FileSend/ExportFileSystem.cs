using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using BuildKit.Files;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Session.FileSend;

/// <summary>What is at a path, links not followed.</summary>
internal enum EntryKind
{
    None,
    Directory,
    SymbolicLink,
    Other,
}

/// <summary>
/// Makes and moves the entries of an output. Nothing here follows a link in the last component of a path, and nothing but <see cref="Rename"/> replaces what exists.
/// Every failure is an <see cref="ExportException"/>. Calls block: file systems have no asynchronous form of them on any platform.
/// </summary>
internal static partial class ExportFileSystem
{
    private const int EPERM = 1;
    private const int ENOSPC = 28;
    private const int LinuxEDQUOT = 122;
    private const uint OwnerOnly = 0x1C0;
    private const int ErrorFileExists = unchecked((int)0x80070050);

    private static bool IsLinux64 => OperatingSystem.IsLinux() && nint.Size == 8;

    /// <summary>Makes a directory that only we may enter until it gets its mode.</summary>
    public static void CreateDirectory(in EntryPath path)
    {
        if (!OperatingSystem.IsWindows())
        {
            Check(UnixNative.MakeDirectory(path.Path, OwnerOnly), path);
            return;
        }
        Guard(path.Path, static path =>
        {
            if (Directory.Exists(path) || File.Exists(path))
                throw new IOException("The name is taken.", ErrorFileExists);
            Directory.CreateDirectory(path);
        });
    }

    /// <summary>Makes a regular file and opens it for writing. It must not exist: <c>O_EXCL</c> refuses a link there instead of following it.</summary>
    public static SafeFileHandle CreateFile(in EntryPath path)
    {
        try
        {
            return File.OpenHandle(path.Path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.From(e, path.Shown);
        }
    }

    /// <summary>Writes a piece of a file.</summary>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> data, long offset, in EntryPath path)
    {
        try
        {
            RandomAccess.Write(file, data, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.From(e, path.Shown);
        }
    }

    /// <summary>Gives a written file its metadata and closes it.</summary>
    public static void FinishFile(SafeFileHandle file, in EntryPath path, in EntryMetadata metadata)
    {
        using (file)
        {
            if (OperatingSystem.IsWindows())
            {
                var time = ToDateTime(metadata.ModTime);
                Guard(path.Shown, _ => File.SetLastWriteTimeUtc(file, time));
                return;
            }
            // Attributes first: a mode without write permission would refuse them. The times last: everything before changes them.
            if (IsLinux64 && metadata.Xattrs is not null)
                foreach (var xattr in metadata.Xattrs)
                    CheckXattr(UnixNative.SetXattr(file, xattr.Name, xattr.Value, (nuint)xattr.Value.Length, 0), path);
            try
            {
                File.SetUnixFileMode(file, GoFileMode.Permissions(metadata.Mode));
                if (!IsLinux64)
                    File.SetLastWriteTimeUtc(file, ToDateTime(metadata.ModTime));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw ExportErrors.From(e, path.Shown);
            }
            if (IsLinux64)
                Check(UnixNative.SetTimes(file, metadata.ModTime), path);
            CloseFile(file, path);
        }
    }

    /// <summary>Closes a file and reports what only closing shows: on a network file system, that the disk is full.</summary>
    public static void CloseFile(SafeFileHandle file, in EntryPath path)
    {
        if (OperatingSystem.IsWindows())
            file.Dispose();
        else
            Check(UnixNative.Close(file), path);
    }

    /// <summary>Makes a symbolic link. Its target is kept as it was sent: nothing here ever follows it.</summary>
    public static void CreateSymbolicLink(in EntryPath path, string target)
    {
        if (!OperatingSystem.IsWindows())
        {
            Check(UnixNative.MakeSymbolicLink(target, path.Path), path);
            return;
        }
        try
        {
            File.CreateSymbolicLink(path.Path, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.Unsupported(path.Shown, $"The output holds the symbolic link '{path.Shown}', which can't be created: {e.Message}",
                "Turn on Windows' developer mode or run elevated, or export a tar (type=tar).");
        }
    }

    /// <summary>Makes another name for a file.</summary>
    public static void CreateHardLink(in EntryPath path, string existing)
    {
        if (!OperatingSystem.IsWindows())
            Check(UnixNative.MakeHardLink(existing, path.Path), path);
        else if (!CreateHardLinkWindows(path.Path, existing, 0))
            throw ExportErrors.From(new IOException(new Win32Exception().Message, Marshal.GetHRForLastWin32Error()), path.Shown);
    }

    /// <summary>Makes a named pipe or a device node, with its mode.</summary>
    public static void CreateSpecial(in EntryPath path, uint mode, long major, long minor)
    {
        var isDevice = (mode & GoFileMode.Device) != 0;
        var what = isDevice ? "device" : "named pipe";
        if (!(isDevice ? IsLinux64 : !OperatingSystem.IsWindows()))
            throw ExportErrors.Unsupported(path.Shown, $"The output holds the {what} '{path.Shown}', which this system can't have.", "Remove it from the output, or export a tar (type=tar).");
        var permissions = (uint)GoFileMode.Permissions(mode);
        var result = isDevice
            ? UnixNative.MakeDevice(path.Path, permissions, (mode & GoFileMode.CharDevice) != 0, (uint)major, (uint)minor)
            : UnixNative.MakeFifo(path.Path, permissions);
        if (result != 0 && isDevice && Marshal.GetLastPInvokeError() == EPERM)
            throw new ExportException("BuildKit.OutputDenied", BuildKitErrorCategory.PermissionDenied, $"The output holds the device '{path.Shown}', which only root can create.",
                "Build as root, remove it from the output, or export a tar (type=tar).")
            { Target = path.Shown };
        Check(result, path);
    }

    /// <summary>Gives a directory, link, pipe or device its metadata, links not followed.</summary>
    public static void SetMetadata(in EntryPath path, in EntryMetadata metadata)
    {
        var isLink = (metadata.Mode & GoFileMode.Symlink) != 0;
        if (IsLinux64 && metadata.Xattrs is not null)
            foreach (var xattr in metadata.Xattrs)
                CheckXattr(UnixNative.SetXattr(path.Path, xattr.Name, xattr.Value, (nuint)xattr.Value.Length, 0), path);
        try
        {
            if (!OperatingSystem.IsWindows() && !isLink)
                File.SetUnixFileMode(path.Path, GoFileMode.Permissions(metadata.Mode));
            // Elsewhere .NET would follow the link; upstream leaves its times alone there, too.
            if (!IsLinux64 && !isLink)
                Directory.SetLastWriteTimeUtc(path.Path, ToDateTime(metadata.ModTime));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.From(e, path.Shown);
        }
        if (IsLinux64)
            Check(UnixNative.SetTimes(path.Path, metadata.ModTime), path);
    }

    /// <summary>Gives a directory back the rights that removing or moving its entries needs.</summary>
    public static void MakeWritable(string directory)
    {
        if (!OperatingSystem.IsWindows())
            SetMode(directory, (UnixFileMode)OwnerOnly);
    }

    /// <summary>Gives a file that is about to replace another the mode of that one.</summary>
    public static void CopyMode(string from, string to)
    {
        if (!OperatingSystem.IsWindows())
            SetMode(to, File.GetUnixFileMode(from));
    }

    /// <summary>What is at a path, links not followed.</summary>
    public static EntryKind GetKind(string path)
    {
        FileAttributes attributes;
        try
        {
            attributes = new FileInfo(path).Attributes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.From(e, path);
        }
        if ((int)attributes == -1)
            return EntryKind.None;
        if ((attributes & FileAttributes.ReparsePoint) != 0)
            return EntryKind.SymbolicLink;
        return (attributes & FileAttributes.Directory) != 0 ? EntryKind.Directory : EntryKind.Other;
    }

    /// <summary>Moves an entry within one file system. A file or link at the destination is replaced in one step.</summary>
    public static void Rename(string from, string to)
    {
        if (!OperatingSystem.IsWindows())
        {
            Check(UnixNative.Rename(from, to), to);
            return;
        }
        Guard(to, path =>
        {
            if ((File.GetAttributes(from) & FileAttributes.Directory) != 0)
                Directory.Move(from, path);
            else
                File.Move(from, path, overwrite: true);
        });
    }

    /// <summary>Removes a file or link, or a directory with all that is in it; links are removed, not followed.</summary>
    public static void Delete(string path, EntryKind kind) => Guard(path, path =>
    {
        if (kind == EntryKind.Directory)
            Directory.Delete(path, recursive: true);
        else if (kind != EntryKind.None)
            File.Delete(path);
    });

    /// <summary>Runs a file operation; what fails comes out as an <see cref="ExportException"/> about the path.</summary>
    public static void Guard(string path, Action<string> operation)
    {
        try
        {
            operation(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.From(e, path);
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static void SetMode(string path, UnixFileMode mode)
    {
        try
        {
            File.SetUnixFileMode(path, mode);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ExportErrors.From(e, path);
        }
    }

    private static void Check(int result, in EntryPath path)
    {
        if (result != 0)
            throw ExportErrors.FromErrno(Marshal.GetLastPInvokeError(), path.Shown);
    }

    // Many file systems know no attributes, and some namespaces are root's: upstream (fsutil) goes on without them, and so do we. A full disk is another matter.
    private static void CheckXattr(int result, in EntryPath path)
    {
        if (result != 0 && Marshal.GetLastPInvokeError() is var errno and (ENOSPC or LinuxEDQUOT))
            throw ExportErrors.FromErrno(errno, path.Shown);
    }

    private static DateTime ToDateTime(long nanoseconds) => DateTime.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);

    [LibraryImport("kernel32.dll", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLinkWindows(string path, string existing, nint reserved);
}
