using System.Buffers.Binary;
using BuildKit.Http2.Hpack;
using static BuildKit.Http2.Http2FrameRules;

namespace BuildKit.Http2;

/// <summary>
/// What each frame of the peer does (RFC 9113 section 6), in the order of their arrival. Nothing in here waits: bodies go into buffers that flow control bounds,
/// answers into the output's queue. A violation is a <see cref="Http2ConnectionException"/> or, where only one request is broken, a reset.
/// </summary>
internal sealed class Http2FrameProcessor : IDisposable
{
    private static readonly HeaderField[] HeadersTooLarge = [new(":status", "431")];

    private readonly Http2ServerOptions _options;
    private readonly Http2StreamTable _streams;
    private readonly Http2Output _output;
    private readonly Http2FloodBudget _idleFrames;
    private readonly Http2FloodBudget _resets;
    private readonly Func<Http2ServerStream, Task> _handler;
    private readonly Action _drained;
    private readonly Http2InputFlowControl _window;
    private readonly Http2HeaderBlock _headerBlock;
    private readonly HashSet<Http2ServerStream> _unflushed = [];
    private bool _prefaceRead;
    private bool _settingsRead;
    private int _peerInitialWindowSize = Http2Settings.DefaultInitialWindowSize;

    /// <param name="options">The limits.</param>
    /// <param name="streams">The connection's streams.</param>
    /// <param name="output">Takes the answers.</param>
    /// <param name="idleFrames">The budget for frames that carry nothing.</param>
    /// <param name="handler">Serves a request.</param>
    /// <param name="drained">Called when the peer said GOAWAY and its last request is done.</param>
    public Http2FrameProcessor(
        Http2ServerOptions options, Http2StreamTable streams, Http2Output output, Http2FloodBudget idleFrames, Func<Http2ServerStream, Task> handler, Action drained)
    {
        _options = options;
        _streams = streams;
        _output = output;
        _idleFrames = idleFrames;
        _resets = new Http2FloodBudget(options.ResetBudget, options.ResetsPerSecond);
        _handler = handler;
        _drained = drained;
        _window = new Http2InputFlowControl(Math.Max(options.ConnectionWindowSize, Http2Settings.DefaultInitialWindowSize));
        _headerBlock = new Http2HeaderBlock(options);
    }

    private static ReadOnlySpan<byte> ClientPreface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>The highest stream that was begun, for GOAWAY.</summary>
    public int LastStreamId { get; private set; }

    /// <summary>Processes all frames that the reader holds.</summary>
    /// <exception cref="Http2ConnectionException">The connection can't go on.</exception>
    public void Process(Http2FrameReader reader)
    {
        if (!_prefaceRead && !ReadPreface(reader))
            return;

        try
        {
            while (reader.TryReadFrame(out var header, out var payload))
            {
                try
                {
                    ProcessFrame(header, payload);
                }
                catch (Http2StreamException exception)
                {
                    ResetStream(exception);
                }
            }
        }
        finally
        {
            // Handlers are woken once for all that one read brought.
            foreach (var stream in _unflushed)
                stream.FlushRequest();
            _unflushed.Clear();
        }
    }

    public void Dispose() => _headerBlock.Dispose();

    private bool ReadPreface(Http2FrameReader reader)
    {
        // A peer that speaks something else is told at its first wrong octet, not when enough of them have come.
        var start = reader.Peek();
        var length = Math.Min(start.Length, ClientPreface.Length);
        if (!start[..length].SequenceEqual(ClientPreface[..length]))
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, "The peer does not begin with the HTTP/2 client preface.");
        return _prefaceRead = reader.TryReadRaw(ClientPreface.Length, out _);
    }

    private void ProcessFrame(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        // Section 3.4.
        if (!_settingsRead && (header.Type != Http2FrameType.Settings || header.Has(Http2FrameFlags.Ack)))
            throw ProtocolError("The first frame is not SETTINGS.");
        _settingsRead = true;

        // Section 6.10.
        if (_headerBlock.StreamId != 0 && (header.Type != Http2FrameType.Continuation || header.StreamId != _headerBlock.StreamId))
            throw ProtocolError("A header block is interrupted by another frame.");

        switch (header.Type)
        {
            case Http2FrameType.Data:
                ProcessData(header, payload);
                break;
            case Http2FrameType.Headers:
                ProcessHeaders(header, payload);
                break;
            case Http2FrameType.Priority:
                ProcessPriority(header, payload);
                break;
            case Http2FrameType.RstStream:
                ProcessRstStream(header, payload);
                break;
            case Http2FrameType.Settings:
                ProcessSettings(header, payload);
                break;
            case Http2FrameType.PushPromise:
                throw ProtocolError("A client sent PUSH_PROMISE.");
            case Http2FrameType.Ping:
                ProcessPing(header, payload);
                break;
            case Http2FrameType.GoAway:
                ProcessGoAway(header, payload);
                break;
            case Http2FrameType.WindowUpdate:
                ProcessWindowUpdate(header, payload);
                break;
            case Http2FrameType.Continuation:
                ProcessContinuation(header, payload);
                break;
            default:
                // Section 4.1: unknown types are ignored.
                SpendIdleFrame();
                break;
        }
    }

    // Section 6.1.
    private void ProcessData(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        CheckNotIdle(header);
        var data = RemovePadding(header, payload);
        if (!_window.TryReceive(payload.Length))
            throw new Http2ConnectionException(Http2ErrorCode.FlowControlError, "DATA exceeds the window of the connection.");

        var endStream = header.Has(Http2FrameFlags.EndStream);
        if (!data.IsEmpty)
            _idleFrames.Earn();
        else if (!endStream)
            SpendIdleFrame();

        var stream = _streams.Find(header.StreamId);
        if (stream is null)
        {
            ReturnToConnection(payload.Length);
            if (_streams.WasReset(header.StreamId))
                return;
            throw new Http2StreamException(header.StreamId, Http2ErrorCode.StreamClosed, $"DATA came on stream {header.StreamId}, which is closed.");
        }

        try
        {
            stream.Receive(data, payload.Length);
        }
        catch (Http2StreamException)
        {
            ReturnToConnection(payload.Length);
            throw;
        }

        _unflushed.Add(stream);
        if (endStream)
            stream.EndRequest();
    }

    // Section 6.2.
    private void ProcessHeaders(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        // Section 5.1.1: a client's streams have odd numbers.
        if (header.StreamId % 2 == 0)
            throw ProtocolError($"HEADERS came on stream {header.StreamId}.");
        var fragment = RemovePadding(header, payload);
        if (header.Has(Http2FrameFlags.Priority))
        {
            if (fragment.Length < 5)
                throw new Http2ConnectionException(Http2ErrorCode.FrameSizeError, "HEADERS is too short for its priority.");
            fragment = fragment[5..];
        }

        _headerBlock.Start(header.StreamId, header.Has(Http2FrameFlags.EndStream));
        AppendFragment(header, fragment);
    }

    // Section 6.10.
    private void ProcessContinuation(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_headerBlock.StreamId == 0)
            throw ProtocolError("CONTINUATION came without HEADERS.");
        SpendIdleFrame();
        AppendFragment(header, payload);
    }

    private void AppendFragment(Http2FrameHeader header, ReadOnlySpan<byte> fragment)
    {
        _headerBlock.Append(fragment);
        if (!header.Has(Http2FrameFlags.EndHeaders))
            return;

        // Whatever becomes of the request, its block has to be decoded: later ones build on it (section 4.3).
        var fields = new List<HeaderField>();
        var withinLimit = _headerBlock.Decode(fields);
        if (header.StreamId > LastStreamId)
            BeginStream(header.StreamId, fields, withinLimit);
        else
            EndWithTrailers(header.StreamId, fields);
    }

    private void BeginStream(int streamId, List<HeaderField> fields, bool withinLimit)
    {
        LastStreamId = streamId;
        if (!_streams.HasRoom)
        {
            _streams.Close(streamId, wasReset: true);
            _output.Reset(streamId, Http2ErrorCode.RefusedStream);
            return;
        }

        var headers = withinLimit ? Http2RequestHeaders.Parse(streamId, fields) : Http2RequestHeaders.Empty;
        var stream = new Http2ServerStream(
            streamId, headers, _options, _peerInitialWindowSize, _output, ReturnToConnection, (closed, wasReset) => _streams.Close(closed.Id, wasReset));
        if (_headerBlock.EndStream)
            stream.EndRequest();
        _streams.Add(stream);
        _ = RunHandlerAsync(stream, withinLimit ? _handler : RefuseHeaders);
    }

    private async Task RunHandlerAsync(Http2ServerStream stream, Func<Http2ServerStream, Task> handler)
    {
        await stream.RunAsync(handler).ConfigureAwait(false);
        _streams.HandlerEnded(stream);
    }

    private static Task RefuseHeaders(Http2ServerStream stream)
    {
        stream.StartResponse(HeadersTooLarge);
        stream.CompleteResponse();
        return Task.CompletedTask;
    }

    private void EndWithTrailers(int streamId, List<HeaderField> fields)
    {
        var stream = _streams.Find(streamId);
        if (stream is null)
        {
            if (_streams.WasReset(streamId))
                return;
            throw new Http2ConnectionException(Http2ErrorCode.StreamClosed, $"HEADERS came on stream {streamId}, which is closed.");
        }

        if (stream.IsRequestEnded)
            throw new Http2StreamException(streamId, Http2ErrorCode.StreamClosed, $"HEADERS came on stream {streamId} after its end.");
        if (!_headerBlock.EndStream)
            throw new Http2StreamException(streamId, Http2ErrorCode.ProtocolError, $"The trailers of stream {streamId} do not end it.");
        Http2RequestHeaders.CheckFields(streamId, fields);
        stream.EndRequest();
    }

    // Section 6.3: priorities are deprecated and not followed.
    private void ProcessPriority(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        CheckHasStream(header);
        CheckLength(header, payload, 5);
        SpendIdleFrame();
    }

    // Section 6.4.
    private void ProcessRstStream(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        CheckNotIdle(header);
        CheckLength(header, payload, sizeof(uint));
        if (_streams.Find(header.StreamId) is not { } stream)
        {
            SpendIdleFrame();
            return;
        }

        var errorCode = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload);
        stream.Abort(new Http2StreamException(header.StreamId, errorCode, $"The peer reset the stream with {errorCode}."), resetPeer: false);
        SpendReset();
    }

    // Section 6.5.
    private void ProcessSettings(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        CheckHasNoStream(header);
        SpendIdleFrame();
        if (header.Has(Http2FrameFlags.Ack))
        {
            CheckLength(header, payload, 0);
            return;
        }

        var settings = Http2Settings.Parse(payload);
        var newWindowSize = settings.InitialWindowSize ?? _peerInitialWindowSize;
        var delta = newWindowSize - _peerInitialWindowSize;
        _peerInitialWindowSize = newWindowSize;
        _output.ApplySettings(settings, delta, _streams.Open);
    }

    // Section 6.7. We send no PING, so that an answer is nobody's.
    private void ProcessPing(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        CheckHasNoStream(header);
        CheckLength(header, payload, sizeof(ulong));
        SpendIdleFrame();
        if (!header.Has(Http2FrameFlags.Ack))
            _output.AcknowledgePing(BinaryPrimitives.ReadUInt64BigEndian(payload));
    }

    // Section 6.8.
    private void ProcessGoAway(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        CheckHasNoStream(header);
        if (payload.Length < 8)
            throw new Http2ConnectionException(Http2ErrorCode.FrameSizeError, $"A GOAWAY frame has {payload.Length} octets.");
        _streams.WhenEmpty(_drained);
    }

    // Section 6.9.
    private void ProcessWindowUpdate(Http2FrameHeader header, ReadOnlySpan<byte> payload)
    {
        CheckLength(header, payload, sizeof(uint));
        var increment = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & 0x7FFF_FFFF);
        if (header.StreamId == 0)
        {
            if (increment == 0)
                throw ProtocolError("A WINDOW_UPDATE of the connection has the increment 0.");
            if (!_output.TryWidenConnection(increment))
                throw new Http2ConnectionException(Http2ErrorCode.FlowControlError, "A WINDOW_UPDATE makes the window of the connection overflow.");
            return;
        }

        CheckNotIdle(header);
        if (_streams.Find(header.StreamId) is not { } stream)
            return;
        if (increment == 0)
            throw new Http2StreamException(header.StreamId, Http2ErrorCode.ProtocolError, $"A WINDOW_UPDATE of stream {header.StreamId} has the increment 0.");
        if (!_output.TryWidenStream(stream, increment))
            throw new Http2StreamException(header.StreamId, Http2ErrorCode.FlowControlError, $"A WINDOW_UPDATE makes the window of stream {header.StreamId} overflow.");
    }

    private void ResetStream(Http2StreamException exception)
    {
        SpendReset();
        if (_streams.Find(exception.StreamId) is { } stream)
        {
            stream.Abort(exception, resetPeer: true);
            return;
        }

        _streams.Close(exception.StreamId, wasReset: true);
        _output.Reset(exception.StreamId, exception.ErrorCode);
    }

    private void ReturnToConnection(int octets)
    {
        var increment = _window.Return(octets);
        if (increment > 0)
            _output.AnnounceConnectionWindow(increment);
    }

    private void CheckNotIdle(Http2FrameHeader header)
    {
        CheckHasStream(header);

        // Section 5.1: an even stream would be one that we began, and we begin none.
        if (header.StreamId % 2 == 0 || header.StreamId > LastStreamId)
            throw ProtocolError($"{header.Type} came on stream {header.StreamId}, which is idle.");
    }

    private void SpendIdleFrame()
    {
        if (!_idleFrames.TrySpend())
            throw new Http2ConnectionException(Http2ErrorCode.EnhanceYourCalm, "The peer sends too many frames that carry nothing.");
    }

    private void SpendReset()
    {
        if (!_resets.TrySpend())
            throw new Http2ConnectionException(Http2ErrorCode.EnhanceYourCalm, "Too many of the peer's requests are reset.");
    }
}
