using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BuildKit.Module.Completion;

/// <summary>Completes where images can be: the kinds of places, and paths.</summary>
public sealed class OciAddressCompleter : IArgumentCompleter
{
    private static readonly string[] Prefixes = ["oci-layout://", "oci-archive:", "docker-archive:", "docker://", "docker-daemon:"];

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(Prefixes, wordToComplete).Concat(CompletionCompleters.CompleteFilename(wordToComplete));
}
