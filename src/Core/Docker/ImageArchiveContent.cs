using System.Net;

namespace BuildKit.Docker;

/// <summary>A tar archive that is written while it is sent.</summary>
internal sealed class ImageArchiveContent : HttpContent
{
    private readonly Func<Stream, CancellationToken, Task> _writeArchive;
    private readonly CancellationToken _answered;

    /// <param name="writeArchive">Writes the archive.</param>
    /// <param name="answered">Cancelled when the Engine has answered and reads no more; what is left of the archive is not written then.</param>
    public ImageArchiveContent(Func<Stream, CancellationToken, Task> writeArchive, CancellationToken answered)
    {
        _writeArchive = writeArchive;
        _answered = answered;
        Headers.TryAddWithoutValidation("Content-Type", "application/x-tar");
    }

    /// <summary>What the writer threw, or null.</summary>
    public Exception? Failure { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _answered);
        try
        {
            await _writeArchive(stream, stop.Token).ConfigureAwait(false);
        }
        catch (Exception) when (_answered.IsCancellationRequested)
        {
            // The answer, which comes next, tells why.
        }
        catch (Exception exception)
        {
            Failure = exception;
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
