using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BuildKit.Solve;

namespace BuildKit.Module.Completion;

/// <summary>Completes the types of outputs.</summary>
public sealed class ExporterCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(BuildKitExporter.List(null).Select(exporter => exporter.Name).Distinct(), wordToComplete);
}
