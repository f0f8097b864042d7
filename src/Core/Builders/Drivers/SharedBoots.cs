using System.Threading.Channels;

namespace BuildKit.Builders.Drivers;

/// <summary>
/// Lets all builds of this process that need the same node at the same time wait for one boot of it. The boot goes on as long as one of them waits, and is stopped with the last.
/// </summary>
internal sealed class SharedBoots
{
    private readonly Dictionary<object, SharedBoot> _running = [];

    /// <summary>Joins the boot that runs, or begins one.</summary>
    /// <param name="node">What is booted; equal for the same node.</param>
    /// <param name="boot">Boots it.</param>
    /// <param name="progress">Is told of the boot, and of what its steps were until now; or null. It may take its time: it holds up nobody but this call.</param>
    /// <param name="cancellationToken">Stops waiting. For the last who waits it stops the boot, and returns when that has cleaned up.</param>
    public async Task RunAsync(
        object node, Func<IProgress<BuilderBootEvent>, CancellationToken, Task> boot, IProgress<BuilderBootEvent>? progress, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SharedBoot shared;
        Channel<BuilderBootEvent> told;
        lock (_running)
        {
            if (!_running.TryGetValue(node, out shared!))
            {
                shared = _running[node] = new SharedBoot();
                shared.Start(boot);
            }
            told = shared.Join();
        }
        try
        {
            await foreach (var step in told.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                progress?.Report(step);
            await shared.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            bool isLast;
            lock (_running)
            {
                isLast = shared.Leave(told);
                // Whoever comes from here on begins anew.
                if ((isLast || shared.Task.IsCompleted) && _running.GetValueOrDefault(node) == shared)
                    _running.Remove(node);
            }
            if (isLast)
            {
                await shared.StopAsync().ConfigureAwait(false);
                shared.Dispose();
            }
        }
    }

    private sealed class SharedBoot : IProgress<BuilderBootEvent>, IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly List<Channel<BuilderBootEvent>> _waiting = [];
        private readonly List<BuilderBootEvent> _steps = [];
        private bool _hasEnded;

        public Task Task { get; private set; } = Task.CompletedTask;

        public void Start(Func<IProgress<BuilderBootEvent>, CancellationToken, Task> boot) => Task = Task.Run(async () =>
        {
            try
            {
                await boot(this, _stop.Token).ConfigureAwait(false);
            }
            finally
            {
                End();
            }
        });

        /// <returns>What is told to one who waits: all steps from the first on, and the end.</returns>
        public Channel<BuilderBootEvent> Join()
        {
            var told = Channel.CreateUnbounded<BuilderBootEvent>();
            lock (_steps)
            {
                _waiting.Add(told);
                _steps.ForEach(step => told.Writer.TryWrite(step));
                if (_hasEnded)
                    told.Writer.Complete();
            }
            return told;
        }

        /// <returns>Whether nobody waits any more.</returns>
        public bool Leave(Channel<BuilderBootEvent> told)
        {
            lock (_steps)
            {
                _waiting.Remove(told);
                return _waiting.Count == 0;
            }
        }

        public void Report(BuilderBootEvent value)
        {
            lock (_steps)
            {
                if (value.Layer is null)
                    _steps.Add(value);
                _waiting.ForEach(told => told.Writer.TryWrite(value));
            }
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        public void Dispose() => _stop.Dispose();

        private void End()
        {
            lock (_steps)
            {
                _hasEnded = true;
                _waiting.ForEach(told => told.Writer.Complete());
            }
        }
    }
}
