using BuildKit.Files;
using BuildKit.Session.FileSend;

namespace BuildKit.Solve;

/// <summary>A small file that a build leaves beside its outputs: whole, or not at all.</summary>
internal static class ResultFile
{
    /// <summary>Refuses what can't become a file, before the build has cost anything.</summary>
    /// <exception cref="ExportException">A directory is there.</exception>
    public static void Demand(string path)
    {
        if (Directory.Exists(path))
            throw ExportErrors.Destination(path, $"'{path}' is a directory.", "Give the name of a file in it.");
    }

    /// <summary>Writes it. It replaces one that is there by one rename; a link is followed, and a device or pipe is written to as it is.</summary>
    /// <exception cref="ExportException">It can't be written. What was there is there still.</exception>
    public static void Write(string path, ReadOnlySpan<byte> contents)
    {
        var bytes = contents.ToArray();
        if (!OperatingSystem.IsWindows() && UnixNative.IsSpecialFile(path))
        {
            ExportFileSystem.Guard(path, special => File.WriteAllBytes(special, bytes));
            return;
        }
        var target = path;
        if (ExportFileSystem.GetKind(path) == EntryKind.SymbolicLink)
            ExportFileSystem.Guard(path, link => target = File.ResolveLinkTarget(link, returnFinalTarget: true)!.FullName);
        var staging = StagingArea.Create(Path.GetDirectoryName(target)!, Path.GetFileName(target));
        var done = false;
        try
        {
            var shown = new EntryPath(staging.Path, staging.Path, path);
            using (var file = ExportFileSystem.CreateFile(shown))
            {
                ExportFileSystem.Write(file, bytes, 0, shown);
                ExportFileSystem.CloseFile(file, shown);
            }
            if (File.Exists(target))
                ExportFileSystem.CopyMode(target, staging.Path);
            ExportFileSystem.Rename(staging.Path, target);
            staging.KeepParents();
            done = true;
        }
        finally
        {
            if (!done)
            {
                ExportFileSystem.Delete(staging.Path, EntryKind.Other);
                staging.RemoveParents();
            }
        }
    }

    /// <summary>Removes one that an earlier build left.</summary>
    /// <exception cref="ExportException">It can't be removed.</exception>
    public static void Remove(string path)
    {
        if (OperatingSystem.IsWindows() || !UnixNative.IsSpecialFile(path))
            ExportFileSystem.Guard(path, static file => File.Delete(file));
    }
}
