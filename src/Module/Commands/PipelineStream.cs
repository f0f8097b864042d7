namespace BuildKit.Module.Commands;

/// <summary>Gives what is written to it to the pipeline, an array of bytes a time. Few arrays wait at once: a slow pipeline holds up the daemon.</summary>
/// <param name="pump">Brings the arrays to the pipeline's thread.</param>
/// <param name="write">Writes one to the pipeline.</param>
internal sealed class PipelineStream(PipelinePump pump, Action<byte[]> write) : Stream
{
    private const int MaxWaiting = 8;

    // Not disposed: arrays may still be on their way when the build has ended, and without a wait handle it holds nothing.
    private readonly SemaphoreSlim _room = new(MaxWaiting);

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        // Whoever gets the array may keep it.
        var bytes = buffer.ToArray();
        pump.Post(() =>
        {
            write(bytes);
            _room.Release();
        });
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bytes are written asynchronously.");

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
