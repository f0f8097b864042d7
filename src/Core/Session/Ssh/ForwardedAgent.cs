using System.Buffers;

namespace BuildKit.Session.Ssh;

/// <summary>The user's own SSH agent. Each connection of a step has one of its own to it.</summary>
internal sealed class ForwardedAgent(SshAgentAddress address) : ISshAgent
{
    public async ValueTask<ISshAgentConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return new Connection(address, await address.ConnectAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (IOException e)
        {
            throw SshErrors.AgentGone(address.Path, e);
        }
    }

    public void Dispose()
    {
    }

    private sealed class Connection(SshAgentAddress address, Stream stream) : ISshAgentConnection
    {
        private byte[] _buffer = ArrayPool<byte>.Shared.Rent(4096);

        public async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
        {
            try
            {
                await stream.WriteAsync(request, cancellationToken).ConfigureAwait(false);
                await stream.ReadExactlyAsync(_buffer.AsMemory(0, SshAgentMessage.PrefixLength), cancellationToken).ConfigureAwait(false);
                if (!SshAgentMessage.TryReadLength(_buffer, out var length))
                    throw SshErrors.AgentBroken(address.Path);
                EnsureCapacity(SshAgentMessage.PrefixLength + length);
                var message = _buffer.AsMemory(0, SshAgentMessage.PrefixLength + length);
                await stream.ReadExactlyAsync(message[SshAgentMessage.PrefixLength..], cancellationToken).ConfigureAwait(false);
                return message;
            }
            catch (IOException e)
            {
                throw SshErrors.AgentGone(address.Path, e);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }

        private void EnsureCapacity(int capacity)
        {
            if (_buffer.Length >= capacity)
                return;
            var larger = ArrayPool<byte>.Shared.Rent(capacity);
            _buffer.AsSpan(0, SshAgentMessage.PrefixLength).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
    }
}
