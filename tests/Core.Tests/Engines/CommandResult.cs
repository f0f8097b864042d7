using System.Diagnostics;

namespace BuildKit.Tests.Engines;

/// <summary>How a command ended and what it wrote.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>Runs a program to its end. Everything it started is killed when it takes longer than a quarter of an hour.</summary>
    public static async Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(15));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return new CommandResult(process.ExitCode, (await output).TrimEnd(), (await error).TrimEnd());
    }

    /// <summary>What it wrote to its output, or an exception with what it wrote to its error stream.</summary>
    public string OutputOrThrow() => ExitCode == 0 ? Output : throw new InvalidOperationException($"exit code {ExitCode}: {Error}");
}
