using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;

namespace BuildKit.Module.Completion;

/// <summary>Completes the names of a Dockerfile's stages.</summary>
public sealed partial class TargetCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        return Completions.Matching(Stages(TextOf(fakeBoundParameters)), wordToComplete);
    }

    private static IEnumerable<string> Stages(string dockerfile) => Stage().Matches(dockerfile).Select(stage => stage.Groups["name"].Value).Distinct();

    private static string TextOf(IDictionary bound)
    {
        var dockerfile = bound["Dockerfile"]?.ToString();
        if (dockerfile?.Contains('\n', StringComparison.Ordinal) == true)
            return dockerfile;
        var path = PathOf(dockerfile ?? Path.Combine(bound["Context"]?.ToString() ?? ".", "Dockerfile"));
        try
        {
            return path is null ? "" : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Resolves a path against the location of the session that is being typed in.</summary>
    private static string? PathOf(string path)
    {
        using var shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddCommand(@"Microsoft.PowerShell.Management\Convert-Path")
            .AddParameter("LiteralPath", path)
            .AddParameter("ErrorAction", ActionPreference.Ignore);
        return shell.Invoke<string>().FirstOrDefault();
    }

    [GeneratedRegex(@"^[ \t]*FROM[ \t]+(--\S+[ \t]+)*\S+[ \t]+AS[ \t]+(?<name>\S+)", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex Stage();
}
