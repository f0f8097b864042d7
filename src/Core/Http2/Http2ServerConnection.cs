using System.Net.Sockets;

namespace BuildKit.Http2;

/// <summary>
/// The server's side of one HTTP/2 connection (RFC 9113) with prior knowledge, over any stream that carries bytes both ways: an upgraded socket or a tunnel.
/// The transport belongs to the connection and is closed with it.
/// </summary>
internal sealed class Http2ServerConnection : IAsyncDisposable
{
    private readonly Stream _transport;
    private readonly Http2ServerOptions _options;
    private readonly Http2StreamTable _streams;
    private readonly Http2FloodBudget _idleFrames;
    private readonly Http2Output _output;
    private readonly Http2FrameProcessor _processor;
    private readonly CancellationTokenSource _stop = new();
    private readonly object _gate = new();
    private Task? _run;

    /// <param name="transport">Carries the bytes; writes are large and never overlap.</param>
    /// <param name="options">The limits.</param>
    /// <param name="handler">Serves one request; see <see cref="Http2ServerStream"/> for what it must do. Its exceptions reset the stream.</param>
    public Http2ServerConnection(Stream transport, Http2ServerOptions options, Func<Http2ServerStream, Task> handler)
    {
        _transport = transport;
        _options = options;
        _streams = new Http2StreamTable(options.MaxConcurrentStreams);
        _idleFrames = new Http2FloodBudget(options.IdleFrameBudget, options.IdleFramesPerSecond);
        _output = new Http2Output(transport, options, stream => _streams.Close(stream.Id, wasReset: !stream.IsRequestEnded), _idleFrames.Earn);
        _processor = new Http2FrameProcessor(options, _streams, _output, _idleFrames, handler, Stop);
    }

    /// <summary>
    /// Serves requests until the peer closes the connection, until it has sent GOAWAY and its last request is answered, or until <paramref name="cancellationToken"/>
    /// or <see cref="DisposeAsync"/> ends it. In each case requests that still run are cancelled, the peer gets GOAWAY, the transport is closed, and the call
    /// returns when the handlers have ended, or <see cref="Http2ServerOptions.HandlerTimeout"/> later. It can be called once.
    /// </summary>
    /// <exception cref="Http2ConnectionException">The peer broke the protocol.</exception>
    /// <exception cref="BuildKitException"><c>BuildKit.ConnectionLost</c>: the transport failed while requests were open.</exception>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_run is not null)
                throw new InvalidOperationException("The connection was already run or closed.");
            return _run = RunCoreAsync(cancellationToken);
        }
    }

    /// <summary>Sends GOAWAY, cancels the requests that still run, closes the transport and waits for <see cref="RunAsync"/> to end.</summary>
    public async ValueTask DisposeAsync()
    {
        Task? run;
        lock (_gate)
        {
            run = _run;
            _run ??= Task.CompletedTask;
        }

        if (run is null)
        {
            await _transport.DisposeAsync().ConfigureAwait(false);
            return;
        }

        Stop();

        // What went wrong is the caller's of RunAsync to hear.
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Stop() => _ = _stop.CancelAsync();

    private async Task RunCoreAsync(CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var stopRequested = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cancelled = cancellationToken.UnsafeRegister(static state => ((Http2ServerConnection)state!).Stop(), this).ConfigureAwait(false);
        await using var stopped = _stop.Token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), stopRequested).ConfigureAwait(false);

        using var giveUp = new CancellationTokenSource();
        var writing = _output.RunAsync(giveUp.Token);
        var reading = ReadAsync(_stop.Token);
        await Task.WhenAny(reading, writing, stopRequested.Task).ConfigureAwait(false);

        var failure = _stop.IsCancellationRequested ? null : GetFailure(reading, writing);
        await EndAsync(failure, reading, writing, giveUp).ConfigureAwait(false);
        if (failure is not null)
            throw failure;
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        using var reader = new Http2FrameReader(_transport, _options.MaxFrameSize);
        try
        {
            do
            {
                _processor.Process(reader);
            }
            while (await reader.FillAsync(cancellationToken).ConfigureAwait(false));

            if (reader.HasPartialFrame && !_streams.IsEmpty)
                throw new EndOfStreamException("The peer closed the connection in the middle of a frame.");
        }
        finally
        {
            _processor.Dispose();
        }
    }

    // Null where the connection came to a good end: the peer closed it, or it broke when nobody used it any more.
    private BuildKitException? GetFailure(Task reading, Task writing)
    {
        var exception = reading.Exception?.InnerException ?? writing.Exception?.InnerException;
        return exception switch
        {
            null or OperationCanceledException => null,
            Http2ConnectionException broken => broken,
            IOException or SocketException or ObjectDisposedException when _streams.IsEmpty => null,
            _ => new BuildKitException(
                "BuildKit.ConnectionLost",
                BuildKitErrorCategory.Connection,
                "The connection to the daemon broke while requests of the daemon were being answered.",
                "See whether the daemon still runs, and its log.",
                exception),
        };
    }

    private async Task EndAsync(BuildKitException? failure, Task reading, Task writing, CancellationTokenSource giveUp)
    {
        var (code, reason) = failure switch
        {
            Http2ConnectionException broken => (broken.ErrorCode, broken.Message),
            not null => (Http2ErrorCode.InternalError, failure.Message),
            null => (Http2ErrorCode.NoError, string.Empty),
        };
        var peerListens = code == Http2ErrorCode.NoError && !reading.IsCompleted;
        _streams.AbortAll(Http2ErrorCode.Cancel, failure?.Message ?? "The connection was closed.", keepCompleted: peerListens);
        _output.Shutdown(_processor.LastStreamId, code, reason);
        await WaitAsync(writing, _options.TransportTimeout).ConfigureAwait(false);
        await giveUp.CancelAsync().ConfigureAwait(false);
        Stop();
        await _transport.DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await WaitAsync(Task.WhenAll(reading, writing), _options.TransportTimeout).ConfigureAwait(false);
        _streams.AbortAll(Http2ErrorCode.Cancel, "The connection was closed.", keepCompleted: false);
        await WaitAsync(_streams.WhenHandlersEnded(), _options.HandlerTimeout).ConfigureAwait(false);
    }

    // Neither a peer that does not read nor a handler that does not stop may hold up the end.
    private static async Task WaitAsync(Task task, TimeSpan limit)
    {
        using var enough = new CancellationTokenSource();
        await Task.WhenAny(task, Task.Delay(limit, enough.Token)).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);

        // Observed: what it was is told by the caller's own failure.
        _ = task.ContinueWith(static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }
}
