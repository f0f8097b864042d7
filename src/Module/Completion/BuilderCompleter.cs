using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BuildKit.Builders;
using BuildKit.Module.Commands;

namespace BuildKit.Module.Completion;

/// <summary>Completes the names of builders, docker contexts and open connections.</summary>
public sealed class BuilderCompleter : IArgumentCompleter
{
    // Completion reads a few small files; it must not hold up typing where these lie on a share that has gone.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(ConnectionPool.Names.Concat(Read(static () => new EndpointResolver().ListNamesAsync())).Distinct(), wordToComplete);

    /// <summary>The builders that can be named; none of them is asked how it is.</summary>
    internal static IReadOnlyList<BuildKitBuilder> Builders() => Read(static () => new BuilderManager().ListAsync());

    private static IReadOnlyList<T> Read<T>(Func<Task<IReadOnlyList<T>>> read)
    {
        try
        {
            var list = Task.Run(read);
            return list.Wait(Limit) ? list.Result : [];
        }
        catch (AggregateException e) when (e.InnerException is BuildKitException)
        {
            // A malformed docker config is told by the call, not by its completion.
            return [];
        }
    }
}
