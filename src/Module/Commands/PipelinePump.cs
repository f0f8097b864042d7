using System.Collections.Concurrent;

namespace BuildKit.Module.Commands;

/// <summary>
/// Runs asynchronous work on the thread pool while the pipeline's thread, the only one that may write to it, does what the work posts.
/// </summary>
internal sealed class PipelinePump : IDisposable
{
    /// <summary>How long a stopped pipeline waits for the work to end. The daemon is told to cancel at once; what takes longer ends on its own.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromMilliseconds(600);

    // Work that reports faster than the host shows is held up, and with it the daemon, instead of filling the memory.
    private const int Capacity = 1024;

    private readonly BlockingCollection<Action> _actions = new(Capacity);
    private readonly CancellationTokenSource _cancellation;
    private readonly CancellationToken _stopToken;
    private Task? _work;

    /// <summary>Creates a pump for one piece of work.</summary>
    /// <param name="stopToken">Cancelled when the pipeline is being stopped.</param>
    public PipelinePump(CancellationToken stopToken)
    {
        _stopToken = stopToken;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(stopToken);
    }

    /// <summary>Has something done on the pipeline's thread, in the order of the calls. Does nothing once nobody listens any more.</summary>
    public void Post(Action action)
    {
        try
        {
            _actions.Add(action, _cancellation.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The pipeline has ended or is being stopped.
        }
    }

    /// <summary>Runs work to its end.</summary>
    /// <param name="work">What to run; it is not on the pipeline's thread.</param>
    /// <param name="onIdle">Called on the pipeline's thread whenever nothing was posted for as long as <paramref name="idleInterval"/>.</param>
    /// <param name="idleInterval">See <paramref name="onIdle"/>.</param>
    /// <returns>What the work returned.</returns>
    /// <exception cref="OperationCanceledException">The pipeline is being stopped.</exception>
    public T Run<T>(Func<CancellationToken, Task<T>> work, Action onIdle, TimeSpan idleInterval)
    {
        var task = Start(work);
        PumpUntil(null, onIdle, idleInterval);
        return task.GetAwaiter().GetResult();
    }

    /// <summary>Begins work; <see cref="PumpUntil"/> does what it posts.</summary>
    /// <param name="work">What to run; it is not on the pipeline's thread.</param>
    /// <returns>The work.</returns>
    public Task<T> Start<T>(Func<CancellationToken, Task<T>> work)
    {
        var task = Task.Run(() => work(_cancellation.Token), CancellationToken.None);
        _work = task;
        _ = task.ContinueWith(EndPosts, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }

    /// <summary>Does what was posted, until something has happened or the work has ended and all that it posted is done.</summary>
    /// <param name="happened">What to wait for; null for the end of the work.</param>
    /// <param name="onIdle">Called on the pipeline's thread whenever nothing was posted for as long as <paramref name="idleInterval"/>.</param>
    /// <param name="idleInterval">See <paramref name="onIdle"/>.</param>
    /// <exception cref="OperationCanceledException">The pipeline is being stopped.</exception>
    public void PumpUntil(Task? happened, Action onIdle, TimeSpan idleInterval)
    {
        // Something must arrive, or the wait for the next action would be the wait for the event too.
        _ = happened?.ContinueWith(_ => Post(static () => { }), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            while (!_actions.IsCompleted && happened is not { IsCompleted: true })
            {
                if (_actions.TryTake(out var action, (int)idleInterval.TotalMilliseconds, _stopToken))
                    action();
                else
                    onIdle();
            }
        }
        catch
        {
            // Stopped, or the host refused what was written: nobody is left to work for.
            _cancellation.Cancel();
            ((IAsyncResult)_work!).AsyncWaitHandle.WaitOne(StopGrace);
            throw;
        }
    }

    /// <summary>Ends work that still runs: nobody waits for it.</summary>
    public void Dispose()
    {
        _cancellation.Cancel();
        _cancellation.Dispose();
        _actions.Dispose();
    }

    private void EndPosts(Task task)
    {
        _ = task.Exception;
        try
        {
            _actions.CompleteAdding();
        }
        catch (ObjectDisposedException)
        {
            // The work outlived its pipeline.
        }
    }
}
