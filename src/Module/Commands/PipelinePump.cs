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
        var task = Task.Run(() => work(_cancellation.Token), CancellationToken.None);
        _ = task.ContinueWith(EndPosts, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            while (!_actions.IsCompleted)
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
            ((IAsyncResult)task).AsyncWaitHandle.WaitOne(StopGrace);
            throw;
        }
        return task.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
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
