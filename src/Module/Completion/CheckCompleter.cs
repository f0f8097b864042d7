using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BuildKit.Diagnosis;

namespace BuildKit.Module.Completion;

/// <summary>Completes the names of checks.</summary>
public sealed class CheckCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(BuildKitDoctor.CheckNames, wordToComplete);
}
