using System.Net;
using BuildKit.Files;
using BuildKit.Oci;

namespace BuildKit.Registry;

/// <summary>
/// The body of a blob. Where the connection breaks or nothing comes any more, the rest is asked for (RFC 9110, section 14). It ends after the bytes that the descriptor announces,
/// or gives more than those where the registry sends more: whoever reads it checks.
/// </summary>
internal sealed class RegistryBlobStream(RegistryConnection connection, RegistryRequest request, string location, OciDescriptor blob) : ReadOnlyStream
{
    // Of breaks in all, however much came between them.
    private const int MostBreaks = 200;

    private HttpResponseMessage? _response;
    private Stream? _body;
    private CancellationTokenSource? _patience;
    private CancellationToken _waiting;
    private long _readAtBreak = -1;
    private int _breaks;
    private int _breaksInVain;

    public override long Length => blob.Size;

    /// <summary>Makes the first request.</summary>
    public Task OpenAsync(CancellationToken cancellationToken) => RequestAsync(cancellationToken);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Exception failure;
            try
            {
                var count = await ReadBodyAsync(buffer, cancellationToken).ConfigureAwait(false);
                BytesRead += count;
                if (count > 0 || buffer.IsEmpty || BytesRead >= blob.Size)
                    return count;
                failure = new IOException("it ended too early");
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                if (BytesRead >= blob.Size)
                    return 0;
                failure = e;
            }
            await ResumeAsync(failure, cancellationToken).ConfigureAwait(false);
        }
    }

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("A registry is read asynchronously.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _patience?.Dispose();
            _response?.Dispose();
        }
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadBodyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // Most reads of one stream are given the same token: one timer serves them all, but for one that has run out.
        if (_patience is null || _patience.IsCancellationRequested || _waiting != cancellationToken)
        {
            _patience?.Dispose();
            _patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _waiting = cancellationToken;
        }
        _patience.CancelAfter(connection.Options.StallTimeout);
        try
        {
            return await _body!.ReadAsync(buffer, _patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"nothing came for {connection.Options.StallTimeout.TotalSeconds:0.#} s", e);
        }
        finally
        {
            // It is the registry that is waited for, not whoever reads.
            _patience.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    private async Task ResumeAsync(Exception failure, CancellationToken cancellationToken)
    {
        _breaksInVain = BytesRead > _readAtBreak ? 1 : _breaksInVain + 1;
        _readAtBreak = BytesRead;
        if (_breaksInVain >= connection.Options.Attempts || ++_breaks > MostBreaks)
            throw RegistryErrors.BrokenOff(connection, request.What, BytesRead, blob.Size, failure);
        await Task.Delay(RegistryRetry.Pause(connection.Options, _breaksInVain), cancellationToken).ConfigureAwait(false);
        await RequestAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task RequestAsync(CancellationToken cancellationToken)
    {
        _response?.Dispose();
        _response = await connection.SendAsync(
            request with { Offset = BytesRead }, [HttpStatusCode.OK, HttpStatusCode.PartialContent, HttpStatusCode.NotFound], cancellationToken).ConfigureAwait(false);
        if (_response.StatusCode == HttpStatusCode.NotFound)
            throw OciErrors.BlobNotFound(location, blob.Digest);
        var isPartial = _response.StatusCode == HttpStatusCode.PartialContent;
        if (isPartial && _response.Content.Headers.ContentRange?.From != BytesRead)
            throw RegistryErrors.Malformed(connection, request.What, $"the bytes from {BytesRead} on were asked for, and others came");
        if (_response.Content.Headers.ContentLength is { } length && length != blob.Size - (isPartial ? BytesRead : 0))
            throw OciErrors.BlobInvalid(location, blob, $"the registry has {length + (isPartial ? BytesRead : 0)} bytes of it, and its descriptor says {blob.Size}");
        _body = await _response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        if (!isPartial && BytesRead > 0)
            await SkipAsync(cancellationToken).ConfigureAwait(false);
    }

    // The registry began anew: what was read already is passed over. Where it is another content, the digest will tell.
    private async Task SkipAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        for (var left = BytesRead; left > 0;)
        {
            int count;
            try
            {
                count = await ReadBodyAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                count = 0;
            }
            if (count == 0)
            {
                // The next read finds nothing, and asks again.
                _body = Null;
                return;
            }
            left -= count;
        }
    }
}
