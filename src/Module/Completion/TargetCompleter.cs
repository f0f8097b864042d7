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
        return Completions.Matching(Stages(BoundDockerfile.Text(fakeBoundParameters)), wordToComplete);
    }

    private static IEnumerable<string> Stages(string dockerfile) => Stage().Matches(dockerfile).Select(stage => stage.Groups["name"].Value).Distinct();

    [GeneratedRegex(@"^[ \t]*FROM[ \t]+(--\S+[ \t]+)*\S+[ \t]+AS[ \t]+(?<name>\S+)", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex Stage();
}
