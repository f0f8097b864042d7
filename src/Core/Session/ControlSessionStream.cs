using System.Buffers;
using BuildKit.Grpc;

namespace BuildKit.Session;

/// <summary>
/// A session's connection through <c>Control.Session</c>: the bytes of the call's messages, in both directions, as a stream. On it the daemon is the HTTP/2
/// client and we are the server (moby/buildkit session/grpchijack). One read and one write may be under way at a time; a broken call is an
/// <see cref="IOException"/> around its <see cref="RpcException"/>.
/// </summary>
internal sealed class ControlSessionStream : Stream
{
    /// <summary>
    /// The payload of one message, at most. The daemon would take 16 MiB; more than this saves hardly any work, and health checks must not
    /// wait behind a long message.
    /// </summary>
    private const int MaxChunkSize = 64 << 10;

    /// <summary>How long the daemon may take to end the call after we have said that we are done.</summary>
    private static readonly TimeSpan CloseGrace = TimeSpan.FromMilliseconds(500);

    private readonly AsyncDuplexStreamingCall<ReadOnlyMemory<byte>, int> _call;
    private readonly SemaphoreSlim _reading = new(1);
    private Memory<byte> _destination;
    private byte[] _overflow = [];
    private int _overflowStart;
    private int _overflowEnd;
    private int _isDisposed;

    private ControlSessionStream(CallInvoker invoker, SessionHandshake handshake, CancellationToken cancellationToken)
    {
        var method = new Method<ReadOnlyMemory<byte>, int>(
            MethodType.DuplexStreaming, "moby.buildkit.v1.Control", "Session", BytesMessageMarshaller.Writer, BytesMessageMarshaller.Reader(Receive));
        _call = invoker.AsyncDuplexStreamingCall(method, new CallOptions(Headers(handshake), CancellationToken: cancellationToken));
    }

    public override bool CanRead => _isDisposed == 0;

    public override bool CanWrite => _isDisposed == 0;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Opens a session. It does not wait for the daemon: that makes a build one round trip shorter, and a solve waits for its session to appear
    /// (moby/buildkit session.Manager.Get). A refusal is met by the first read.
    /// </summary>
    /// <param name="invoker">Calls the daemon.</param>
    /// <param name="handshake">What the daemon is told of the session.</param>
    /// <param name="cancellationToken">Ends the session at once, for as long as it is open.</param>
    public static ControlSessionStream Open(CallInvoker invoker, SessionHandshake handshake, CancellationToken cancellationToken) =>
        new(invoker, handshake, cancellationToken);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
            if (_overflowEnd > _overflowStart)
                return TakeOverflow(buffer.Span);
            _destination = buffer;
            while (await _call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
                if (_call.ResponseStream.Current > 0)
                    return _call.ResponseStream.Current;
            return 0;
        }
        catch (RpcException e)
        {
            throw Broken(e);
        }
        finally
        {
            _destination = default;
            _reading.Release();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        try
        {
            while (!buffer.IsEmpty)
            {
                var count = Math.Min(buffer.Length, MaxChunkSize);
                await _call.RequestStream.WriteAsync(buffer[..count], cancellationToken).ConfigureAwait(false);
                buffer = buffer[count..];
            }
        }
        catch (RpcException e)
        {
            throw Broken(e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Does nothing: every write is sent at once.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Does nothing: every write is sent at once.</summary>
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A session is read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A session is written asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Says that nothing follows, lets the daemon end the call, and cancels it where the daemon does not do so soon.</summary>
    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            try
            {
                await _call.RequestStream.CompleteAsync().ConfigureAwait(false);
                using var grace = new CancellationTokenSource(CloseGrace);
                await _reading.WaitAsync(grace.Token).ConfigureAwait(false);
                try
                {
                    while (await _call.ResponseStream.MoveNext(grace.Token).ConfigureAwait(false))
                    {
                        // What the daemon still says has no reader any more.
                    }
                }
                finally
                {
                    _reading.Release();
                }
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException)
            {
                // The call had ended already, or has to be ended now.
            }
            finally
            {
                _call.Dispose();
            }
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isDisposed, 1) == 0)
            _call.Dispose();
        base.Dispose(disposing);
    }

    private static Metadata Headers(SessionHandshake handshake)
    {
        var headers = new Metadata
        {
            { "x-docker-expose-session-uuid", handshake.Id },
            { "x-docker-expose-session-name", Printable(handshake.Name) },
            { "x-docker-expose-session-sharedkey", Printable(handshake.SharedKey) },
        };
        foreach (var method in handshake.Methods)
            headers.Add("x-docker-expose-session-grpc-method", method);
        return headers;
    }

    // Metadata is ASCII, the name of a directory need not be.
    private static string Printable(string value) => value.All(c => c is >= ' ' and <= '~') ? value : Uri.EscapeDataString(value);

    private static IOException Broken(RpcException e) => new($"The session's connection broke: {e.Status.Detail}", e);

    /// <summary>Takes a message's payload: what fits goes straight into the reader's memory, the rest waits for the next read.</summary>
    private int Receive(ReadOnlySequence<byte> payload)
    {
        if (_destination.IsEmpty)
            return 0; // DisposeAsync waits for the end and nobody reads
        var count = (int)Math.Min(payload.Length, _destination.Length);
        payload.Slice(0, count).CopyTo(_destination.Span);
        var rest = payload.Slice(count);
        if (!rest.IsEmpty)
        {
            _overflow = ArrayPool<byte>.Shared.Rent((int)rest.Length);
            rest.CopyTo(_overflow);
            (_overflowStart, _overflowEnd) = (0, (int)rest.Length);
        }

        return count;
    }

    private int TakeOverflow(Span<byte> destination)
    {
        var count = Math.Min(destination.Length, _overflowEnd - _overflowStart);
        _overflow.AsSpan(_overflowStart, count).CopyTo(destination);
        _overflowStart += count;
        if (_overflowStart == _overflowEnd)
        {
            ArrayPool<byte>.Shared.Return(_overflow);
            _overflow = [];
        }

        return count;
    }
}
