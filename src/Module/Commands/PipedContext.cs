using System.IO.Pipelines;

namespace BuildKit.Module.Commands;

/// <summary>A context whose bytes come from the pipeline, object by object, while the build reads them as one stream. What waits in between is bounded.</summary>
internal sealed class PipedContext : IDisposable
{
    private const int ChunkBytes = 64 << 10;

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19, minimumSegmentSize: ChunkBytes, useSynchronizationContext: false));
    private int _unflushed;

    /// <summary>Creates an empty one.</summary>
    public PipedContext() => Stream = _pipe.Reader.AsStream();

    /// <summary>What the build reads; it ends with <see cref="Complete"/>.</summary>
    public Stream Stream { get; }

    /// <summary>Takes the next bytes.</summary>
    /// <param name="bytes">The bytes; they are copied.</param>
    /// <returns>Ends when more can be taken; null where it can at once.</returns>
    public Task? Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_pipe.Writer.GetSpan(bytes.Length));
        _pipe.Writer.Advance(bytes.Length);
        _unflushed += bytes.Length;
        // Single bytes are collected first.
        if (_unflushed < ChunkBytes)
            return null;
        _unflushed = 0;
        var flush = _pipe.Writer.FlushAsync();
        return flush.IsCompleted ? null : flush.AsTask();
    }

    /// <summary>Says that no more comes.</summary>
    public void Complete() => _pipe.Writer.Complete();

    /// <summary>Ends the stream with an error, unless it is complete.</summary>
    public void Dispose()
    {
        _pipe.Writer.Complete(new OperationCanceledException());
        Stream.Dispose();
    }
}
