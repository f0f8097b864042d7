using System.Management.Automation;
using BuildKit.Builders;

namespace BuildKit.Module.Commands;

/// <summary>Asks each node of a builder, or of all builders that match a pattern, at the same time. What one can't answer does not keep back what the others can, and none is booted for it.</summary>
/// <typeparam name="T">What a node answers.</typeparam>
/// <param name="ask">Asks one node.</param>
/// <param name="explain">Is told which daemon was chosen, and by what.</param>
internal sealed class NodeQuestion<T>(Func<BuildKitConnection, CancellationToken, Task<T>> ask, Action<string> explain)
    where T : class
{
    private const string NotRunning = "BuildKit.BuilderNotRunning";

    /// <summary>One node's answer, or why there is none.</summary>
    /// <param name="Result">What the node said.</param>
    /// <param name="Failure">Why it said nothing.</param>
    internal sealed record Answer(T? Result, Exception? Failure);

    /// <summary>Asks.</summary>
    /// <param name="builder">As <see cref="ConnectionPool"/> takes it, or a pattern with wildcards.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <returns>The answers, in the order of builders and nodes.</returns>
    /// <exception cref="BuildKitException">Which builder is meant can't be found out.</exception>
    public async Task<IReadOnlyList<Answer>> AskAsync(object? builder, CancellationToken cancellationToken) => IsPattern(builder)
        ? await AskMatchingAsync((string)builder!, cancellationToken).ConfigureAwait(false)
        : await AskNodesAsync(await ConnectionPool.FindAsync(builder, cancellationToken).ConfigureAwait(false), null, cancellationToken).ConfigureAwait(false);

    private static bool IsPattern(object? builder) =>
        builder is string name && WildcardPattern.ContainsWildcardCharacters(name) && !name.Contains("://", StringComparison.Ordinal);

    private async Task<IReadOnlyList<Answer>> AskMatchingAsync(string name, CancellationToken cancellationToken)
    {
        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
        var manager = new BuilderManager();
        var builders = (await manager.ListAsync(cancellationToken).ConfigureAwait(false)).Where(builder => pattern.IsMatch(builder.Name));
        var answers = await Task.WhenAll(builders.Select(async builder =>
        {
            try
            {
                var target = await ConnectionPool.FindAsync(builder, cancellationToken).ConfigureAwait(false);
                return await AskNodesAsync(target, manager.StatusTimeout, cancellationToken).ConfigureAwait(false);
            }
            catch (BuildKitException e)
            {
                return [new Answer(null, e)];
            }
        })).ConfigureAwait(false);
        return answers.SelectMany(answer => answer).Where(IsWanted).ToList();
    }

    // Of builders that nobody named, those that don't run are no failure.
    private bool IsWanted(Answer answer)
    {
        if (answer.Failure is not BuildKitException { ErrorId: NotRunning } idle)
            return true;
        explain(idle.Message);
        return false;
    }

    private async Task<IReadOnlyList<Answer>> AskNodesAsync(BuilderTarget target, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var hasOthers = target.Nodes.Count + target.Unavailable.Count > 1;
        var answers = await Task.WhenAll(target.Nodes.Select(node => AskAsync(node.Endpoint.WithoutBoot(), timeout, hasOthers, cancellationToken))).ConfigureAwait(false);
        return [.. answers, .. target.Unavailable.Select(failure => new Answer(null, failure))];
    }

    private async Task<Answer> AskAsync(BuildKitEndpoint endpoint, TimeSpan? timeout, bool hasOthers, CancellationToken cancellationToken)
    {
        try
        {
            if (timeout is { } limit)
                endpoint = endpoint with { ConnectTimeout = limit };
            var connection = await ConnectionPool.ConnectAsync(endpoint, "Builder", explain, null, cancellationToken).ConfigureAwait(false);
            return new Answer(await ask(connection, cancellationToken).ConfigureAwait(false), null);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            if (hasOthers && e is BuildKitException error)
                error.Node ??= endpoint.Node;
            return new Answer(null, e);
        }
    }
}
