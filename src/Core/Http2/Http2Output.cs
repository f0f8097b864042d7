using System.Text;
using System.Threading.Channels;

namespace BuildKit.Http2;

/// <summary>
/// The sending side of a connection: the only one that writes to the transport. It gathers frames into large writes, acknowledgements first, then one frame
/// of each stream that has something to send and is allowed to, in turn. A stream without an allowance is left out until the peer grants one.
/// </summary>
internal sealed class Http2Output(Stream transport, Http2ServerOptions options, Action<Http2ServerStream> streamEnded, Action dataSent)
{
    private const int MaxDebugDataLength = 256;

    private readonly object _gate = new();
    private readonly Queue<ControlFrame> _control = new();
    private readonly Queue<Http2ServerStream> _ready = new();
    private readonly HashSet<Http2ServerStream> _waitingForConnection = [];

    // One signal that something changed is as good as many.
    private readonly Channel<bool> _signal =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private Http2OutputFlowControl _window = new(Http2Settings.DefaultInitialWindowSize);
    private int _windowIncrement;
    private GoAway? _goAway;
    private bool _stopped;

    /// <summary>Writes SETTINGS, and then until <see cref="Shutdown"/> was called and all that can be sent was sent, or until the transport fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var target = new Http2FrameTarget(options.MaxWriteSize + Http2Settings.MinMaxFrameSize + 1024);
        try
        {
            WritePreface(target.Buffer);
            while (true)
            {
                GatherFrames(target);
                if (target.Buffer.WrittenCount > 0)
                {
                    await transport.WriteAsync(target.Buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
                    await transport.FlushAsync(cancellationToken).ConfigureAwait(false);
                    target.Buffer.Clear();
                    continue;
                }

                lock (_gate)
                {
                    if (_goAway is { IsWritten: true })
                        return;
                }

                await _signal.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
                _signal.Reader.TryRead(out _);
            }
        }
        finally
        {
            Stop();
        }
    }

    /// <summary>Acknowledges SETTINGS after they were applied to everything that is sent later (RFC 9113 section 6.5.3).</summary>
    /// <exception cref="Http2ConnectionException">A window overflows, or too many acknowledgements wait already.</exception>
    public void ApplySettings(Http2Settings settings, int windowDelta, IEnumerable<Http2ServerStream> openStreams)
    {
        lock (_gate)
        {
            if (windowDelta != 0)
            {
                foreach (var stream in openStreams)
                {
                    if (!stream.SendWindow.TryAdjust(windowDelta))
                        throw new Http2ConnectionException(Http2ErrorCode.FlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE makes the window of a stream overflow.");
                    Enqueue(stream);
                }
            }

            Enqueue(new ControlFrame(Http2FrameType.Settings, 0, 0, settings));
        }

        Signal();
    }

    public void AcknowledgePing(ulong opaque) => Send(new ControlFrame(Http2FrameType.Ping, 0, opaque));

    /// <summary>Resets a stream that was never opened or is already forgotten.</summary>
    public void Reset(int streamId, Http2ErrorCode errorCode) => Send(new ControlFrame(Http2FrameType.RstStream, streamId, (ulong)errorCode));

    /// <summary>Widens the window of the connection by what handlers have read.</summary>
    public void AnnounceConnectionWindow(int increment)
    {
        lock (_gate)
            _windowIncrement += increment;
        Signal();
    }

    /// <summary>Widens the window of a stream by what its handler has read.</summary>
    public void AnnounceStreamWindow(Http2ServerStream stream, int increment)
    {
        lock (_gate)
        {
            stream.PendingWindowIncrement += increment;
            Enqueue(stream);
        }

        Signal();
    }

    /// <summary>Gives a stream a turn: it has something to send, or it was reset.</summary>
    public void Schedule(Http2ServerStream stream)
    {
        bool stopped;
        lock (_gate)
        {
            stopped = _stopped;
            if (!stopped)
                Enqueue(stream);
        }

        if (stopped)
            stream.AbandonResponse();
        else
            Signal();
    }

    /// <summary>Takes the increment of a WINDOW_UPDATE for the connection; false when the window overflows.</summary>
    public bool TryWidenConnection(int increment)
    {
        lock (_gate)
        {
            if (!_window.TryAdjust(increment))
                return false;
            foreach (var stream in _waitingForConnection)
                Enqueue(stream);
            _waitingForConnection.Clear();
        }

        Signal();
        return true;
    }

    /// <summary>Takes the increment of a WINDOW_UPDATE for a stream; false when the window overflows.</summary>
    public bool TryWidenStream(Http2ServerStream stream, int increment)
    {
        lock (_gate)
        {
            if (!stream.SendWindow.TryAdjust(increment))
                return false;
            Enqueue(stream);
        }

        Signal();
        return true;
    }

    /// <summary>Lets <see cref="RunAsync"/> end with GOAWAY, after what completed responses may still send where there was no error.</summary>
    public void Shutdown(int lastStreamId, Http2ErrorCode errorCode, string reason)
    {
        lock (_gate)
            _goAway ??= new GoAway(lastStreamId, errorCode, reason);
        Signal();
    }

    // Our half of the preface: SETTINGS, and a connection window that is larger than the protocol's default (RFC 9113 section 3.4).
    private void WritePreface(PooledBufferWriter output)
    {
        Http2FrameWriter.WriteSettings(output,
        [
            (Http2SettingId.HeaderTableSize, (uint)options.HeaderTableSize),
            (Http2SettingId.MaxConcurrentStreams, (uint)options.MaxConcurrentStreams),
            (Http2SettingId.InitialWindowSize, (uint)options.StreamWindowSize),
            (Http2SettingId.MaxFrameSize, (uint)options.MaxFrameSize),
            (Http2SettingId.MaxHeaderListSize, (uint)options.MaxHeaderListSize),
        ]);
        if (options.ConnectionWindowSize > Http2Settings.DefaultInitialWindowSize)
            Http2FrameWriter.WriteWindowUpdate(output, 0, options.ConnectionWindowSize - Http2Settings.DefaultInitialWindowSize);
    }

    private void GatherFrames(Http2FrameTarget target)
    {
        GatherControlFrames(target);
        while (target.Buffer.WrittenCount < options.MaxWriteSize && TryTakeTurn(out var stream, out var allowance, out var windowIncrement))
        {
            if (windowIncrement > 0 && stream.IsReceiving)
                Http2FrameWriter.WriteWindowUpdate(target.Buffer, stream.Id, windowIncrement);
            var length = stream.WriteFrames(target, allowance, out var more, out var ended);
            if (length > 0)
                dataSent();
            EndTurn(stream, length, more);
            if (ended)
                streamEnded(stream);
        }

        lock (_gate)
        {
            if (_goAway is not { IsWritten: false } goAway || (_ready.Count > 0 && goAway.ErrorCode == Http2ErrorCode.NoError) || _control.Count > 0)
                return;
            var debugData = Encoding.UTF8.GetBytes(goAway.Reason);
            Http2FrameWriter.WriteGoAway(target.Buffer, goAway.LastStreamId, goAway.ErrorCode, debugData.AsSpan(0, Math.Min(debugData.Length, MaxDebugDataLength)));
            goAway.IsWritten = true;
        }
    }

    private void GatherControlFrames(Http2FrameTarget target)
    {
        lock (_gate)
        {
            if (_windowIncrement > 0)
            {
                Http2FrameWriter.WriteWindowUpdate(target.Buffer, 0, _windowIncrement);
                _windowIncrement = 0;
            }

            while (target.Buffer.WrittenCount < options.MaxWriteSize && _control.TryDequeue(out var frame))
            {
                switch (frame.Type)
                {
                    case Http2FrameType.Settings:
                        if (frame.Settings.HeaderTableSize is { } tableSize)
                            target.Encoder.SetMaxTableSize(tableSize);
                        target.MaxFrameSize = frame.Settings.MaxFrameSize ?? target.MaxFrameSize;
                        Http2FrameWriter.WriteSettingsAck(target.Buffer);
                        break;
                    case Http2FrameType.Ping:
                        Http2FrameWriter.WritePingAck(target.Buffer, frame.Value);
                        break;
                    case Http2FrameType.RstStream:
                        Http2FrameWriter.WriteRstStream(target.Buffer, frame.StreamId, (Http2ErrorCode)frame.Value);
                        break;
                }
            }
        }
    }

    private bool TryTakeTurn([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Http2ServerStream? stream, out long allowance, out int windowIncrement)
    {
        lock (_gate)
        {
            (allowance, windowIncrement) = (0, 0);
            if (_goAway is { ErrorCode: not Http2ErrorCode.NoError } || !_ready.TryDequeue(out stream))
            {
                stream = null;
                return false;
            }

            stream.IsScheduled = false;
            _waitingForConnection.Remove(stream);
            allowance = Math.Min(stream.SendWindow.Available, _window.Available);
            windowIncrement = stream.PendingWindowIncrement;
            stream.PendingWindowIncrement = 0;
            return true;
        }
    }

    private void EndTurn(Http2ServerStream stream, int length, bool more)
    {
        lock (_gate)
        {
            stream.SendWindow.Consume(length);
            _window.Consume(length);
            if (!more)
                return;
            if (_window.Available <= 0)
                _waitingForConnection.Add(stream);
            else if (stream.SendWindow.Available > 0)
                Enqueue(stream);
        }
    }

    private void Send(ControlFrame frame)
    {
        lock (_gate)
            Enqueue(frame);
        Signal();
    }

    private void Enqueue(ControlFrame frame)
    {
        if (_control.Count >= options.MaxQueuedControlFrames)
            throw new Http2ConnectionException(Http2ErrorCode.EnhanceYourCalm, "The peer does not read the answers to its frames.");
        _control.Enqueue(frame);
    }

    private void Enqueue(Http2ServerStream stream)
    {
        if (stream.IsScheduled || _stopped)
            return;
        stream.IsScheduled = true;
        _ready.Enqueue(stream);
    }

    private void Signal() => _signal.Writer.TryWrite(true);

    private void Stop()
    {
        Http2ServerStream[] left;
        lock (_gate)
        {
            _stopped = true;
            left = [.. _ready, .. _waitingForConnection];
            _ready.Clear();
            _waitingForConnection.Clear();
            _control.Clear();
        }

        foreach (var stream in left)
            stream.AbandonResponse();
    }

    private readonly record struct ControlFrame(Http2FrameType Type, int StreamId, ulong Value, Http2Settings Settings = default);

    private sealed class GoAway(int lastStreamId, Http2ErrorCode errorCode, string reason)
    {
        public int LastStreamId { get; } = lastStreamId;

        public Http2ErrorCode ErrorCode { get; } = errorCode;

        public string Reason { get; } = reason;

        public bool IsWritten { get; set; }
    }
}
