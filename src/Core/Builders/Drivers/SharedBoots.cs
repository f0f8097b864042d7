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
    /// <param name="progress">Is told of the boot, and of what its steps were until now; or null.</param>
    /// <param name="cancellationToken">Stops waiting. For the last who waits it stops the boot, and returns when that has cleaned up.</param>
    public async Task RunAsync(
        object node, Func<IProgress<BuilderBootEvent>, CancellationToken, Task> boot, IProgress<BuilderBootEvent>? progress, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SharedBoot shared;
        lock (_running)
        {
            if (!_running.TryGetValue(node, out shared!))
            {
                shared = _running[node] = new SharedBoot();
                shared.Start(boot);
            }
            shared.Join(progress);
        }
        try
        {
            await shared.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            bool isLast;
            lock (_running)
            {
                isLast = shared.Leave(progress);
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
        private readonly List<IProgress<BuilderBootEvent>?> _waiting = [];
        private readonly List<BuilderBootEvent> _steps = [];

        public Task Task { get; private set; } = Task.CompletedTask;

        public void Start(Func<IProgress<BuilderBootEvent>, CancellationToken, Task> boot) => Task = Task.Run(() => boot(this, _stop.Token));

        public void Join(IProgress<BuilderBootEvent>? progress)
        {
            lock (_steps)
            {
                _waiting.Add(progress);
                _steps.ForEach(step => progress?.Report(step));
            }
        }

        /// <returns>Whether nobody waits any more.</returns>
        public bool Leave(IProgress<BuilderBootEvent>? progress)
        {
            lock (_steps)
            {
                _waiting.Remove(progress);
                return _waiting.Count == 0;
            }
        }

        public void Report(BuilderBootEvent value)
        {
            lock (_steps)
            {
                if (value.Layer is null)
                    _steps.Add(value);
                // Who is told may leave by it.
                foreach (var progress in _waiting.ToArray())
                    progress?.Report(value);
            }
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        public void Dispose() => _stop.Dispose();
    }
}
