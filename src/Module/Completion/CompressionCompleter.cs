using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BuildKit.Module.Completion;

/// <summary>Completes the compressions of layers.</summary>
public sealed class CompressionCompleter : IArgumentCompleter
{
    private static readonly string[] Compressions = ["uncompressed", "gzip", "estargz", "zstd"];

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(Compressions, wordToComplete);
}
