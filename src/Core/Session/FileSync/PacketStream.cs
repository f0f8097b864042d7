using BuildKit.Grpc;

namespace BuildKit.Session.FileSync;

/// <summary>
/// The packets of several producers on their way to the receiver, one at a time. Waiting for the others can be cancelled; a write that has begun
/// is only interrupted when the call ends, so that after a failure the stream is still fit for the error.
/// </summary>
internal sealed class PacketStream(IServerStreamWriter<SenderPacket> stream, CancellationToken callCancellation) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    public async ValueTask SendAsync(SenderPacket packet, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await stream.WriteAsync(packet, callCancellation).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends what is left of a file, if anything, and its end.</summary>
    public async ValueTask SendLastAsync(SenderPacket packet, uint id, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!data.IsEmpty)
                await stream.WriteAsync(packet.SetData(id, data), callCancellation).ConfigureAwait(false);
            await stream.WriteAsync(packet.SetData(id, default), callCancellation).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
