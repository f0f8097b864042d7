using System.Buffers;
using System.Net;

namespace BuildKit.Registry;

/// <summary>A piece of a blob as the body of a request.</summary>
/// <param name="source">Where it is read from, at the piece's beginning; stays open.</param>
/// <param name="length">How many bytes it has.</param>
/// <param name="taken">Is called with every number of bytes that went out.</param>
internal sealed class RegistryUploadContent(Stream source, long length, Action<int> taken) : HttpContent
{
    private const int BufferSize = 128 * 1024;

    /// <summary>How many bytes were read from the source: it is that much further.</summary>
    public long Consumed { get; private set; }

    /// <summary>What the source threw, or null. HttpClient takes it for a fault of the connection.</summary>
    public Exception? Failure { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (Consumed < length)
            {
                var count = await ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferSize, length - Consumed)), cancellationToken).ConfigureAwait(false);
                Consumed += count;
                await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                taken(count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var count = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            return count > 0 ? count : throw new EndOfStreamException("The content ended too early.");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Failure = e;
            throw;
        }
    }
}
