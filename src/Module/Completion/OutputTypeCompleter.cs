using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BuildKit.Solve;

namespace BuildKit.Module.Completion;

/// <summary>Completes the types of outputs.</summary>
public sealed class OutputTypeCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(SolveOutput.Types, wordToComplete);
}
