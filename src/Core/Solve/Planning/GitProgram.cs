using System.ComponentModel;
using System.Diagnostics;

namespace BuildKit.Solve.Planning;

/// <summary>The program git.</summary>
internal sealed class GitProgram
{
    private static readonly string FileName = OperatingSystem.IsWindows() ? "git.exe" : "git";

    private readonly string _path;

    private GitProgram(string path) => _path = path;

    /// <summary>What a run gave.</summary>
    /// <param name="ExitCode">0 where it went well.</param>
    /// <param name="Lines">Its output.</param>
    /// <param name="Error">The first line of its complaints.</param>
    public sealed record Answer(int ExitCode, IReadOnlyList<string> Lines, string Error);

    /// <summary>Finds it on the PATH; null where it is not.</summary>
    public static GitProgram? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified)
            .Select(directory => Path.Combine(directory, FileName))
            .FirstOrDefault(File.Exists) is { } path ? new GitProgram(path) : null;

    /// <summary>Runs it in a directory, with nothing to read and nobody to ask.</summary>
    /// <exception cref="GitException">It can't be started.</exception>
    public async Task<Answer> RunAsync(string directory, CancellationToken cancellationToken, params string[] arguments)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(_path, arguments)
            {
                WorkingDirectory = directory,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                CreateNoWindow = true,
                Environment = { ["LC_ALL"] = "C", ["GIT_TERMINAL_PROMPT"] = "0" },
            },
        };
        try
        {
            process.Start();
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException)
        {
            throw new GitException($"'{_path}' can't be run: {e.Message}");
        }
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            var lines = Lines(await output.ConfigureAwait(false));
            var complaint = Lines(await error.ConfigureAwait(false)).FirstOrDefault(string.Empty);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return new Answer(process.ExitCode, lines, complaint);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    private static List<string> Lines(string text) =>
        text.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0).ToList();
}
