using System.Management.Automation;
using BuildKit.Builders;

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
    private protected void RunConnected<T>(Func<BuildKitConnection, CancellationToken, Task<T>> work, Action<T> onResult)
    {
        T result;
        try
        {
            result = Run(async (pump, cancellationToken) =>
                await work(await ConnectAsync(pump, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, Builder);
            return;
        }
        onResult(result);
    }

    /// <summary>Finds and opens the connection that is meant, or takes one that is open already.</summary>
    /// <param name="pump">Takes what <c>-Verbose</c> says about the choice.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>An open connection; it stays open.</returns>
    private protected Task<BuildKitConnection> ConnectAsync(PipelinePump pump, CancellationToken cancellationToken)
    {
        var builder = Builder is PSObject wrapped ? wrapped.BaseObject : Builder;
        return ConnectionPool.ConnectAsync(builder, message => pump.Post(() => WriteVerbose(message)), cancellationToken);
    }
}
