using BuildKit.Grpc;

namespace BuildKit.Session.Ssh;

/// <summary>Cuts the bytes of a forwarded connection into messages of the agent protocol. It holds one message, and what arrived together with its end.</summary>
internal sealed class SshAgentRequests(IAsyncStreamReader<byte[]> pieces)
{
    private byte[] _buffer = [];
    private int _start;
    private int _end;

    /// <summary>The next whole message, valid until the next call; null at the end, which may lie within a message.</summary>
    /// <exception cref="RpcException">What comes is no such message.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake() is { } message)
                return message;
            if (!await pieces.MoveNext(cancellationToken).ConfigureAwait(false))
                return null;
            Append(pieces.Current);
        }
    }

    private ReadOnlyMemory<byte>? TryTake()
    {
        var pending = _buffer.AsMemory(_start, _end - _start);
        if (pending.Length < SshAgentMessage.PrefixLength)
            return null;
        if (!SshAgentMessage.TryReadLength(pending.Span, out var length))
            throw new RpcException(new Status(StatusCode.InvalidArgument, "a request to the SSH agent has an impossible length"));
        var whole = SshAgentMessage.PrefixLength + length;
        if (pending.Length < whole)
            return null;
        _start += whole;
        return pending[..whole];
    }

    private void Append(byte[] piece)
    {
        var pending = _end - _start;
        if (pending == 0)
        {
            (_buffer, _start, _end) = (piece, 0, piece.Length);
            return;
        }
        if (_buffer.Length - _end < piece.Length)
        {
            var target = _buffer.Length < pending + piece.Length ? new byte[Math.Max(2 * pending, pending + piece.Length)] : _buffer;
            _buffer.AsSpan(_start, pending).CopyTo(target);
            (_buffer, _start, _end) = (target, 0, pending);
        }
        piece.CopyTo(_buffer.AsSpan(_end));
        _end += piece.Length;
    }
}
