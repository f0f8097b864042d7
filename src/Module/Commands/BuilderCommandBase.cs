using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Binding;

namespace BuildKit.Module.Commands;

/// <summary>A cmdlet that talks to a daemon.</summary>
public abstract class BuilderCommandBase : BuildKitCommandBase
{
    /// <summary>The daemon: an address, the name of a docker context, or an open connection. Each cmdlet says how it is bound.</summary>
    public abstract object? Builder { get; set; }

    /// <summary>Runs work on the connection that <see cref="Builder"/> means. An error is written as a record.</summary>
    /// <typeparam name="T">What the work returns.</typeparam>
    /// <param name="work">What to run, off the pipeline's thread.</param>
    /// <param name="onResult">Takes the result on the pipeline's thread.</param>
    private protected void RunConnected<T>(Func<BuildKitConnection, CancellationToken, Task<T>> work, Action<T> onResult) => Report(
        Builder, async (pump, cancellationToken) => await work(await ConnectAsync(pump, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false), onResult);

    /// <summary>
    /// Runs work on each node of the builder that <see cref="Builder"/> means, or of all builders that match it, at the same time. A node that fails has its error written as a record,
    /// beside the results of the others; none is booted.
    /// </summary>
    /// <typeparam name="T">What the work returns.</typeparam>
    /// <param name="work">What to run for each node, off the pipeline's thread.</param>
    /// <param name="onResult">Takes each node's result on the pipeline's thread, in the nodes' order.</param>
    private protected void RunOnNodes<T>(Func<BuildKitConnection, CancellationToken, Task<T>> work, Action<T> onResult)
        where T : class
    {
        if (UnwrappedBuilder is BuildKitConnection)
        {
            RunConnected(work, onResult);
            return;
        }
        Report(
            Builder,
            (pump, cancellationToken) => new NodeQuestion<T>(work, Explain(pump)).AskAsync(UnwrappedBuilder, cancellationToken),
            answers =>
            {
                foreach (var answer in answers)
                {
                    if (answer.Failure is { } failure)
                        WriteError(failure, Builder);
                    else
                        onResult(answer.Result!);
                }
            });
    }

    /// <summary>Finds and opens the connection that is meant, or takes one that is open already.</summary>
    /// <param name="pump">Takes what <c>-Verbose</c> says about the choice.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>An open connection; it stays open.</returns>
    private protected Task<BuildKitConnection> ConnectAsync(PipelinePump pump, CancellationToken cancellationToken) =>
        ConnectionPool.ConnectAsync(UnwrappedBuilder, Explain(pump), cancellationToken);

    private object? UnwrappedBuilder => PSValue.Unwrap(Builder);

    private Action<string> Explain(PipelinePump pump) => message => pump.Post(() => WriteVerbose(message));
}
