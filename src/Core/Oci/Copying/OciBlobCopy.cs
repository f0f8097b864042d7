using System.Buffers;

namespace BuildKit.Oci.Copying;

/// <summary>Moves the bytes of a blob.</summary>
internal static class OciBlobCopy
{
    private const int BufferSize = 1 << 17;

    /// <summary>Copies a stream to its end.</summary>
    /// <param name="from">The blob; checks what is read.</param>
    /// <param name="write">Takes a piece.</param>
    /// <param name="progress">Is told how many bytes were taken.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    public static async Task RunAsync(
        Stream from, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> write, Action<long> progress, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long done = 0;
            for (int count; (count = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
            {
                await write(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                progress(done += count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    public static Task DrainAsync(Stream from, CancellationToken cancellationToken) =>
        RunAsync(from, static (_, _) => ValueTask.CompletedTask, static _ => { }, cancellationToken);
}
