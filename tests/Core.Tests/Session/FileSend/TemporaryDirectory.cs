using System.Diagnostics;

namespace BuildKit.Tests.Session.FileSend;

/// <summary>A directory of a test's own that goes away with it.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory() => Path = Directory.CreateTempSubdirectory("buildkit-test-").FullName;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Every entry below it, sorted.</summary>
    public string[] List() => [.. Directory.EnumerateFileSystemEntries(Path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        .Select(path => System.IO.Path.GetRelativePath(Path, path)).Order(StringComparer.Ordinal)];

    /// <summary>What <c>stat -c FORMAT</c> says.</summary>
    public string Stat(string name, string format) => Run("stat", "-c", format, this[name]);

    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.TrimEnd() : throw new InvalidOperationException($"{program} failed: {process.StandardError.ReadToEnd()}");
    }

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        return await process.StandardOutput.ReadToEndAsync();
    }

    public void Dispose()
    {
        // An exported directory without write permission keeps anybody but root from removing what is in it.
        if (!OperatingSystem.IsWindows())
            Run("chmod", "-R", "u+rwX", Path);
        Directory.Delete(Path, recursive: true);
    }
}
