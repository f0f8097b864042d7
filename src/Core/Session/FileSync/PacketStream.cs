using BuildKit.Grpc;

namespace BuildKit.Session.FileSync;

/// <summary>
/// The packets of several producers on their way to the receiver. Waiting for one's turn can be cancelled; a write that has begun is only interrupted when the
/// call ends, so that after a failure the stream is still fit for the error.
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

    /// <summary>Sends a batch, which is empty afterwards.</summary>
    public async ValueTask SendAsync(PacketBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
            return;
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (var i = 0; i < batch.Count; i++)
                await stream.WriteAsync(batch[i], callCancellation).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }

        batch.Clear();
    }

    public void Dispose() => _turn.Dispose();
}
