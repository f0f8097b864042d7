using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;

namespace BuildKit.Http2;

/// <summary>The DATA of one request between the read loop, which fills it, and the handler, which reads it. Flow control bounds what it holds.</summary>
internal sealed class Http2RequestBody
{
    private static readonly PipeOptions Options = new(pauseWriterThreshold: 0, minimumSegmentSize: 32 * 1024, useSynchronizationContext: false);

    private readonly object _gate = new();
    private readonly Pipe _pipe = new(Options);
    private readonly Http2InputFlowControl _window;
    private readonly Action<int> _returnToConnection;
    private readonly Action<int> _announceStreamWindow;
    private bool _writerCompleted;
    private bool _readerCompleted;
    private int _unreturned;
    private ReadOnlySequence<byte> _buffer;
    private long _returnedAhead;

    /// <param name="windowSize">What the peer may send before any of it is read, in octets.</param>
    /// <param name="returnToConnection">Gives octets back to the connection's window.</param>
    /// <param name="announceStreamWindow">Sends a WINDOW_UPDATE for the stream.</param>
    public Http2RequestBody(int windowSize, Action<int> returnToConnection, Action<int> announceStreamWindow)
    {
        _window = new Http2InputFlowControl(windowSize);
        _returnToConnection = returnToConnection;
        _announceStreamWindow = announceStreamWindow;
    }

    /// <summary>Whether the peer has said that nothing more comes. Only the read loop changes it.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>How many octets came.</summary>
    public long ReceivedLength { get; private set; }

    /// <summary>Takes a DATA frame's octets. The handler sees them after <see cref="Flush"/>.</summary>
    /// <param name="data">The octets without padding; copied.</param>
    /// <param name="flowControlledLength">The whole payload's length, padding included; already taken from the connection's window.</param>
    /// <returns>False when the peer overran the stream's window; nothing was taken then.</returns>
    public bool TryReceive(ReadOnlySpan<byte> data, int flowControlledLength)
    {
        if (!_window.TryReceive(flowControlledLength))
            return false;
        ReceivedLength += data.Length;
        var padding = flowControlledLength - data.Length;
        lock (_gate)
        {
            if (_readerCompleted || _writerCompleted)
            {
                padding = flowControlledLength;
            }
            else
            {
                _pipe.Writer.Write(data);
                _unreturned += data.Length;
            }
        }

        if (padding > 0)
            Return(padding);
        return true;
    }

    /// <summary>Shows the handler what was received.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_writerCompleted)
                return;

            // The pipe has no threshold to wait at, the flow control window is the limit.
            var flush = _pipe.Writer.FlushAsync();
            Debug.Assert(flush.IsCompleted, "A pipe without a threshold never waits.");
            flush.GetAwaiter().GetResult();
        }
    }

    /// <summary>Nothing more comes.</summary>
    public void End()
    {
        IsEnded = true;
        CompleteWriter(null);
    }

    /// <summary>Nothing more comes because the stream broke; reads fail from now on.</summary>
    public void Abort(Http2StreamException exception) => CompleteWriter(exception);

    /// <summary>The handler reads no more: what is left, and what still comes, is thrown away and given back to the connection's window.</summary>
    public void CompleteReader()
    {
        int left;
        lock (_gate)
        {
            if (_readerCompleted)
                return;
            _readerCompleted = true;
            left = _unreturned;
            _unreturned = 0;
            _pipe.Reader.Complete();
        }

        if (left > 0)
            _returnToConnection(left);
    }

    /// <summary>Waits for octets. Each result must be followed by <see cref="AdvanceTo"/>.</summary>
    /// <exception cref="Http2StreamException">The stream broke.</exception>
    public async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken)
    {
        var result = await _pipe.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        _buffer = result.Buffer;
        return result;
    }

    /// <summary>
    /// Says how far the last result was used up and how far it was looked at. What was looked at is given back to the windows, even where it is not used up
    /// yet: a handler that waits for the rest of something larger than the window would wait forever otherwise.
    /// </summary>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var consumedLength = _buffer.Slice(0, consumed).Length;
        var examinedLength = Math.Max(_buffer.Slice(0, examined).Length, _returnedAhead);
        var octets = (int)(examinedLength - _returnedAhead);
        _returnedAhead = examinedLength - consumedLength;
        _buffer = default;
        _pipe.Reader.AdvanceTo(consumed, examined);
        if (octets == 0)
            return;
        lock (_gate)
            _unreturned -= octets;
        Return(octets);
    }

    private void Return(int octets)
    {
        _returnToConnection(octets);
        var increment = _window.Return(octets);
        if (increment > 0 && !IsEnded)
            _announceStreamWindow(increment);
    }

    private void CompleteWriter(Exception? exception)
    {
        lock (_gate)
        {
            if (_writerCompleted)
                return;
            _writerCompleted = true;
            _pipe.Writer.Complete(exception);
        }
    }
}
