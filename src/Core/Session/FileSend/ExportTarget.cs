using BuildKit.Grpc;

namespace BuildKit.Session.FileSend;

/// <summary>
/// Where one exporter's result goes on this side. What arrives is kept apart until <see cref="CommitAsync"/> puts it into place; disposing without that leaves nothing behind.
/// </summary>
internal abstract class ExportTarget(string destination) : IAsyncDisposable
{
    private readonly CancellationTokenSource _disposing = new();
    private readonly object _lock = new();
    private TaskCompletionSource? _idle;
    private int _receiving;
    private bool _disposed;
    private long _bytesWritten;
    private IReadOnlyDictionary<string, string> _metadata = new Dictionary<string, string>();

    /// <summary>What a person calls it: an absolute path, or a description of a stream.</summary>
    public string Destination { get; } = destination;

    /// <summary>Bytes of file content received so far; may be read at any time.</summary>
    public long BytesWritten => Volatile.Read(ref _bytesWritten);

    /// <summary>What the exporter said about its result (<c>exporter-md-*</c>), without the prefix.</summary>
    public IReadOnlyDictionary<string, string> Metadata => Volatile.Read(ref _metadata);

    /// <summary>Serves one call of the daemon. With several platforms there may be one for each, at the same time.</summary>
    public async Task ReceiveAsync(
        IAsyncStreamReader<FileSendMessage> requests, IServerStreamWriter<FileSendReply> replies, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_disposed)
                throw new OperationCanceledException($"The output '{Destination}' was given up.");
            _receiving++;
        }
        try
        {
            Volatile.Write(ref _metadata, metadata);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
            await ReceiveCoreAsync(requests, replies, linked.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                if (--_receiving == 0)
                    _idle?.TrySetResult();
            }
        }
    }

    /// <summary>Puts what was received into place, after the build has succeeded. Throws <see cref="ExportException"/>; then disposing still removes what is not in place.</summary>
    public abstract ValueTask CommitAsync(CancellationToken cancellationToken);

    /// <summary>Gives up what is not committed: ends running calls, waits for them, removes everything that was made.</summary>
    public async ValueTask DisposeAsync()
    {
        Task idle;
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_receiving == 0)
                _idle.SetResult();
            idle = _idle.Task;
        }
        await _disposing.CancelAsync().ConfigureAwait(false);
        await idle.ConfigureAwait(false);
        try
        {
            await CleanUpAsync().ConfigureAwait(false);
        }
        catch (ExportException)
        {
            // Something can't be removed any more: its disk is gone, or somebody else holds it. An exception from here would hide why the build ended.
        }
        _disposing.Dispose();
    }

    protected abstract Task ReceiveCoreAsync(IAsyncStreamReader<FileSendMessage> requests, IServerStreamWriter<FileSendReply> replies, CancellationToken cancellationToken);

    protected abstract ValueTask CleanUpAsync();

    protected void CountBytes(long count) => Interlocked.Add(ref _bytesWritten, count);
}
