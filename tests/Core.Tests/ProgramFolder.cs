namespace BuildKit.Tests;

/// <summary>Folders of stand-ins for programs, on the PATH of this process as long as it runs.</summary>
internal static class ProgramFolder
{
    private static readonly object Lock = new();

    /// <param name="isFirst">Whether its programs are taken in place of the machine's own.</param>
    /// <returns>The folder's path.</returns>
    public static string Create(bool isFirst)
    {
        var folder = Directory.CreateTempSubdirectory("buildkit-programs-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        lock (Lock)
        {
            var path = Environment.GetEnvironmentVariable("PATH");
            Environment.SetEnvironmentVariable("PATH", isFirst ? $"{folder}{Path.PathSeparator}{path}" : $"{path}{Path.PathSeparator}{folder}");
        }
        return folder;
    }

    /// <summary>Writes a shell script that may be run.</summary>
    /// <param name="path">Where.</param>
    /// <param name="script">Its lines after the first.</param>
    public static void Write(string path, string script)
    {
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
