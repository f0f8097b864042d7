using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BuildKit.Module.Completion;

/// <summary>Completes the beginnings of outputs.</summary>
public sealed class OutputCompleter : IArgumentCompleter
{
    private static readonly string[] Outputs =
    [
        "type=image", "type=local,dest=", "type=tar,dest=", "type=oci,dest=", "type=docker", "type=docker,dest=", "type=registry", "type=cacheonly",
    ];

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(Outputs, wordToComplete);
}
