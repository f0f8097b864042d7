using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BuildKit.Builders;
using BuildKit.Module.Commands;

namespace BuildKit.Module.Completion;

/// <summary>Completes the names of docker contexts and of open connections.</summary>
public sealed class BuilderCompleter : IArgumentCompleter
{
    // Completion reads a few small files; it must not hold up typing where these lie on a share that has gone.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(ConnectionPool.Names.Concat(ContextNames()).Distinct(), wordToComplete);

    private static IReadOnlyList<string> ContextNames()
    {
        try
        {
            var names = Task.Run(static () => new EndpointResolver().ListNamesAsync());
            return names.Wait(Limit) ? names.Result : [];
        }
        catch (AggregateException e) when (e.InnerException is BuildKitException)
        {
            // A malformed docker config is told by the call, not by its completion.
            return [];
        }
    }
}
