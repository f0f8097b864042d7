namespace BuildKit.Http2;

/// <summary>The streams of a connection: those that are open in the protocol's sense, those whose handlers still run, and those that we reset a short while ago.</summary>
internal sealed class Http2StreamTable(int maxConcurrentStreams)
{
    // Frames that were under way when we reset a stream are not the peer's fault (RFC 9113 section 5.1, closed).
    private const int RememberedResets = 256;

    private readonly object _gate = new();
    private readonly Dictionary<int, Http2ServerStream> _open = [];
    private readonly HashSet<Http2ServerStream> _running = [];
    private readonly Queue<int> _resetOrder = new();
    private readonly HashSet<int> _reset = [];
    private TaskCompletionSource? _idle;
    private Action? _whenEmpty;

    /// <summary>The streams that are open now.</summary>
    public Http2ServerStream[] Open
    {
        get
        {
            lock (_gate)
                return [.. _open.Values];
        }
    }

    /// <summary>Whether one more stream is within the limit. Handlers that outlive their streams count too, or a peer could start any number by resetting them.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
                return _open.Count < maxConcurrentStreams && _running.Count < 2 * maxConcurrentStreams;
        }
    }

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _open.Count == 0;
        }
    }

    public Http2ServerStream? Find(int streamId)
    {
        lock (_gate)
            return _open.GetValueOrDefault(streamId);
    }

    public bool WasReset(int streamId)
    {
        lock (_gate)
            return _reset.Contains(streamId);
    }

    public void Add(Http2ServerStream stream)
    {
        lock (_gate)
        {
            _open.Add(stream.Id, stream);
            _running.Add(stream);
        }
    }

    /// <summary>The stream is closed; what the peer had under way for it is ignored when it was us who reset it.</summary>
    public void Close(int streamId, bool wasReset)
    {
        Action? whenEmpty = null;
        lock (_gate)
        {
            if (wasReset && _reset.Add(streamId))
            {
                _resetOrder.Enqueue(streamId);
                if (_resetOrder.Count > RememberedResets)
                    _reset.Remove(_resetOrder.Dequeue());
            }

            if (_open.Remove(streamId) && _open.Count == 0)
                whenEmpty = _whenEmpty;
        }

        whenEmpty?.Invoke();
    }

    public void HandlerEnded(Http2ServerStream stream)
    {
        lock (_gate)
        {
            _running.Remove(stream);
            if (_running.Count == 0)
                _idle?.TrySetResult();
        }
    }

    /// <summary>Calls back once no stream is open, at once when that is so already.</summary>
    public void WhenEmpty(Action callback)
    {
        lock (_gate)
        {
            _whenEmpty = callback;
            if (_open.Count > 0)
                return;
        }

        callback();
    }

    /// <summary>Ends every stream because the connection does.</summary>
    /// <param name="errorCode">What the handlers are told.</param>
    /// <param name="reason">The same in words.</param>
    /// <param name="keepCompleted">Leave alone what only waits to be sent.</param>
    public void AbortAll(Http2ErrorCode errorCode, string reason, bool keepCompleted)
    {
        Http2ServerStream[] streams;
        lock (_gate)
            streams = [.. _open.Values.Union(_running)];
        foreach (var stream in streams)
        {
            if (!keepCompleted || !stream.IsCompleted)
                stream.Abort(new Http2StreamException(stream.Id, errorCode, reason), resetPeer: false);
        }
    }

    /// <summary>Completes when no handler runs.</summary>
    public Task WhenHandlersEnded()
    {
        lock (_gate)
        {
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_running.Count == 0)
                _idle.TrySetResult();
            return _idle.Task;
        }
    }
}
