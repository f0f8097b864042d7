using System.Management.Automation;
using System.Management.Automation.Host;
using BuildKit.Module.Errors;

namespace BuildKit.Module.Commands;

/// <summary>
/// What all cmdlets share: stopping, the pump between asynchronous work and the pipeline, and the way from an exception to an error record.
/// </summary>
public abstract class BuildKitCommandBase : PSCmdlet, IDisposable
{
    private static readonly TimeSpan IdleInterval = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Called by PowerShell on another thread when the pipeline is to stop.</summary>
    protected override void StopProcessing() => _stop.Cancel();

    /// <summary>Frees what the command holds.</summary>
    /// <param name="disposing">Whether <see cref="Dispose()"/> was called.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            _stop.Dispose();
    }

    /// <summary>Runs asynchronous work; its messages are written as they come.</summary>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="work">What to run, off the pipeline's thread. What it posts is done on the pipeline's thread.</param>
    /// <param name="onIdle">Called on the pipeline's thread every so often while nothing is posted; null for nothing.</param>
    /// <returns>What the work returned.</returns>
    private protected T Run<T>(Func<PipelinePump, CancellationToken, Task<T>> work, Action? onIdle = null)
    {
        using var pump = new PipelinePump(_stop.Token);
        return UnlessStopped(() => pump.Run(cancellationToken => work(pump, cancellationToken), onIdle ?? (static () => { }), IdleInterval));
    }

    /// <summary>The same with something that shows how far the work is, which is taken away at its end.</summary>
    /// <typeparam name="T">What the work returns.</typeparam>
    /// <param name="work">What to run, off the pipeline's thread.</param>
    /// <param name="refresh">Called on the pipeline's thread every so often while nothing is posted.</param>
    /// <param name="complete">Takes away what was shown.</param>
    /// <returns>What the work returned.</returns>
    private protected T RunShown<T>(Func<PipelinePump, CancellationToken, Task<T>> work, Action refresh, Action complete)
    {
        try
        {
            return Run(work, refresh);
        }
        finally
        {
            // Of a pipeline that is being stopped the host takes nothing any more, and clears its bars itself.
            if (!Stopping)
                complete();
        }
    }

    /// <summary>Runs work for one input; an error is written as a record.</summary>
    /// <typeparam name="T">What the work returns.</typeparam>
    /// <param name="target">The input.</param>
    /// <param name="work">What to run, off the pipeline's thread.</param>
    /// <param name="onResult">Takes the result on the pipeline's thread.</param>
    private protected void Report<T>(object? target, Func<PipelinePump, CancellationToken, Task<T>> work, Action<T> onResult) =>
        Report(target, () => Run(work), onResult);

    /// <summary>The same of work that begins on the pipeline's thread.</summary>
    /// <typeparam name="T">What the work returns.</typeparam>
    /// <param name="target">The input.</param>
    /// <param name="run">What to run.</param>
    /// <param name="onResult">Takes the result. Its errors are not the input's.</param>
    private protected void Report<T>(object? target, Func<T> run, Action<T> onResult)
    {
        T result;
        try
        {
            result = run();
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, target);
            return;
        }
        onResult(result);
    }

    /// <summary>Creates a pump for work that goes on while further input arrives.</summary>
    /// <returns>The pump; disposing it ends the work.</returns>
    private protected PipelinePump CreatePump() => new(_stop.Token);

    /// <summary>Does what such work has posted.</summary>
    /// <param name="pump">The pump.</param>
    /// <param name="happened">What to wait for; null for the end of the work.</param>
    /// <param name="onIdle">Called on the pipeline's thread every so often while nothing is posted.</param>
    private protected void PumpUntil(PipelinePump pump, Task? happened, Action onIdle) =>
        UnlessStopped<object?>(() =>
        {
            pump.PumpUntil(happened, onIdle, IdleInterval);
            return null;
        });

    /// <summary>Writes the error record of a failed input; the pipeline goes on with the next one.</summary>
    /// <param name="exception">What happened.</param>
    /// <param name="target">The input.</param>
    private protected void WriteError(Exception exception, object? target) => WriteError(ErrorRecordFactory.Create(exception, target));

    /// <summary>Ends the command with an error record, for what would be wrong with every input.</summary>
    /// <param name="exception">What happened.</param>
    /// <param name="target">What it happened to.</param>
    private protected void ThrowError(Exception exception, object? target) => ThrowTerminatingError(ErrorRecordFactory.Create(exception, target));

    private T UnlessStopped<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <summary>Whether an exception is about what was asked for, rather than the pipeline's own way to end.</summary>
    /// <param name="exception">The exception.</param>
    /// <returns>False for what has to go through to PowerShell.</returns>
    private protected static bool IsReportable(Exception exception) =>
        exception is not (PipelineStoppedException or ActionPreferenceStopException or FlowControlException
            // A host that can't ask whether something is to be done.
            or HostException or PSInvalidOperationException);
}
