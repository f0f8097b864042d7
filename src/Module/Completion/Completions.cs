using System.Management.Automation;
using System.Management.Automation.Language;

namespace BuildKit.Module.Completion;

/// <summary>What the completers share.</summary>
internal static class Completions
{
    /// <summary>Makes results of the values that begin with what has been typed.</summary>
    /// <param name="values">All values.</param>
    /// <param name="word">What has been typed, with its quote.</param>
    /// <returns>The results, quoted where PowerShell needs it.</returns>
    public static IEnumerable<CompletionResult> Matching(IEnumerable<string> values, string word)
    {
        var quote = word.Length > 0 && word[0] is '\'' or '"' ? word[..1] : "";
        var typed = word.Trim('\'', '"');
        return values.Where(value => value.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
            .Select(value => new CompletionResult(Quote(value, quote), value, CompletionResultType.ParameterValue, value));
    }

    /// <summary>Resolves a path against the location of the session that is being typed in.</summary>
    public static string? PathOf(string path)
    {
        using var shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddCommand(@"Microsoft.PowerShell.Management\Convert-Path")
            .AddParameter("LiteralPath", path)
            .AddParameter("ErrorAction", ActionPreference.Ignore);
        return shell.Invoke<string>().FirstOrDefault();
    }

    private static string Quote(string value, string quote)
    {
        if (quote == "\"")
            return $"\"{string.Concat(value.Select(c => c is '`' or '$' or '"' ? $"`{c}" : $"{c}"))}\"";
        var isPlain = quote.Length == 0 && !value.Any(c => char.IsWhiteSpace(c) || ",;'\"`$(){}&|<>@#".Contains(c, StringComparison.Ordinal));
        return isPlain ? value : $"'{CodeGeneration.EscapeSingleQuotedStringContent(value)}'";
    }
}
