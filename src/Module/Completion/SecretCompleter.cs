using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BuildKit.Module.Completion;

/// <summary>Completes the beginnings of secrets, with the ids that the Dockerfile's steps mount.</summary>
public sealed class SecretCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        var ids = BoundDockerfile.MountIds(fakeBoundParameters, "secret", defaultId: null);
        return Completions.Matching(ids.SelectMany(static id => new[] { $"id={id},src=", $"id={id},env=" }), wordToComplete);
    }
}
