using BuildKit.Transport;

namespace BuildKit.Docker;

/// <summary>
/// A connection whose peer may answer a long request and close before it has read all of it, as Go's server does when a handler fails. HttpClient would report the broken
/// write and never look at the answer; here a broken write is left to the read that follows, which finds the answer or the end.
/// </summary>
/// <param name="inner">The connection.</param>
/// <param name="broken">Cancelled when the peer takes no more.</param>
internal sealed class EarlyAnswerStream(Stream inner, CancellationTokenSource broken) : DelegatingStream(inner)
{
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (broken.IsCancellationRequested)
            return;
        try
        {
            await Inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            await broken.CancelAsync().ConfigureAwait(false);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
}
