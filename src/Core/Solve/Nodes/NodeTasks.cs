namespace BuildKit.Solve.Nodes;

/// <summary>Does something for several nodes at once.</summary>
internal static class NodeTasks
{
    /// <summary>Starts it for all and waits for all. The first that fails stops the others, and its error is the one that is thrown, with its node's name.</summary>
    /// <param name="names">The nodes' names.</param>
    /// <param name="work">What to do for the node with this index.</param>
    /// <param name="cancellationToken">Stops all of them.</param>
    public static async Task RunAsync(IReadOnlyList<string> names, Func<int, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? first = null;
        await Task.WhenAll(names.Select(RunOneAsync)).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (first is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);

        async Task RunOneAsync(string name, int index)
        {
            try
            {
                await work(index, stop.Token).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                if (Interlocked.CompareExchange(ref first, exception, null) is not null)
                    return;
                if (exception is BuildKitException error)
                    error.Node ??= name;
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }
    }
}
