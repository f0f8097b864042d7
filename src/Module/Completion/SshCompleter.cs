using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BuildKit.Module.Completion;

/// <summary>Completes SSH agents, with the ids that the Dockerfile's steps mount.</summary>
public sealed class SshCompleter : IArgumentCompleter
{
    private const string DefaultId = "default";

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        var ids = BoundDockerfile.MountIds(fakeBoundParameters, "ssh", DefaultId).Prepend(DefaultId).Distinct();
        return Completions.Matching(ids.SelectMany(static id => new[] { id, $"{id}=" }), wordToComplete);
    }
}
