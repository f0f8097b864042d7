using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.ExceptionServices;
using BuildKit.Oci;

namespace BuildKit.Registry;

/// <summary>
/// One blob on its way into a repository (distribution-spec, «Pushing Blobs»): in one request first. Where that breaks or is too much for what stands before the registry, the registry is asked
/// what it has, and the rest follows in pieces; where it lost everything, it all begins anew.
/// </summary>
internal sealed class RegistryBlobUpload(
    RegistryConnection connection, RegistryClient client, OciDescriptor blob, Func<CancellationToken, Task<Stream>> open, Action<long>? progress)
{
    // Small enough for the proxies that limit a request, large enough that nobody feels it.
    private const int PieceSize = 16 * 1024 * 1024;
    private static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(2);

    private readonly string _what = $"the blob {blob.Digest} of '{client.Repository}'";
    private Stream? _source;
    private long _position;
    private long _pieceSize = PieceSize;
    private long _mostTaken;

    public async Task<bool> RunAsync(string? mountFrom, CancellationToken cancellationToken)
    {
        try
        {
            var inVain = 0;
            while (true)
            {
                if (await StartAsync(mountFrom, cancellationToken).ConfigureAwait(false) is not { } location)
                    return true;
                var before = _mostTaken;
                var failure = await SendAsync(location, inVain == 0 && before == 0, cancellationToken).ConfigureAwait(false);
                // Where the answer alone was lost, the blob is there.
                if (failure is null || await client.HeadBlobAsync(blob.Digest, cancellationToken).ConfigureAwait(false) == blob.Size)
                    return false;
                inVain = _mostTaken > before ? 1 : inVain + 1;
                if (inVain >= connection.Options.Attempts)
                    throw failure;
                mountFrom = null;
                await Task.Delay(RegistryRetry.Pause(connection.Options, inVain, null), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (_source is not null)
                await _source.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Opens an upload; null where the registry took the blob over from the other repository.</summary>
    private async Task<string?> StartAsync(string? mountFrom, CancellationToken cancellationToken)
    {
        var uploads = $"/v2/{client.Repository}/blobs/uploads/";
        if (mountFrom is not null)
        {
            var mount = new RegistryRequest(
                HttpMethod.Post, $"{uploads}?mount={blob.Digest}&from={Uri.EscapeDataString(mountFrom)}", RegistryScope.Mount(client.Repository, mountFrom), _what)
            { Content = Nothing };
            using var mounted = await connection.SendAsync(mount, cancellationToken).ConfigureAwait(false);
            if (mounted.StatusCode == HttpStatusCode.Created)
                return null;
            if (mounted.StatusCode == HttpStatusCode.Accepted && Location(mounted) is { } location)
                return location;
            // The other repository may be closed to this account; that is no reason not to push to this one.
        }
        var request = new RegistryRequest(HttpMethod.Post, uploads, RegistryScope.Push(client.Repository), _what) { Content = Nothing };
        using var response = await connection.SendAsync(request, [HttpStatusCode.Accepted], cancellationToken).ConfigureAwait(false);
        if (response.Headers.TryGetValues("OCI-Chunk-Min-Length", out var values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var least))
            _pieceSize = Math.Max(PieceSize, Math.Min(least, blob.Size));
        return Location(response) ?? throw RegistryErrors.Malformed(connection, _what, "it opens an upload and does not say where");
    }

    /// <summary>Sends it; null where it is there, or else why this upload can't go on.</summary>
    private async Task<BuildKitException?> SendAsync(string location, bool isWhole, CancellationToken cancellationToken)
    {
        var isDone = false;
        try
        {
            BuildKitException? failure = null;
            if (isWhole)
            {
                (isDone, failure, var isTooMuch) = await PutAsync(location, 0, blob.Size, cancellationToken).ConfigureAwait(false);
                if (isDone)
                    return null;
                if (!isTooMuch && blob.Size <= PieceSize)
                    return failure;
            }
            (isDone, failure) = await SendPiecesAsync(location, failure, cancellationToken).ConfigureAwait(false);
            return failure;
        }
        finally
        {
            if (!isDone)
                await CancelAsync(location).ConfigureAwait(false);
        }
    }

    private async Task<(bool IsDone, BuildKitException? Failure)> SendPiecesAsync(string location, BuildKitException? failure, CancellationToken cancellationToken)
    {
        // Only a broken upload may hold something.
        long offset = 0;
        if (failure is not null)
        {
            if (await AskAsync(location, cancellationToken).ConfigureAwait(false) is not { } held)
                return (false, failure);
            (location, offset) = held;
        }
        for (var inVain = 0; offset < blob.Size;)
        {
            var (answer, next, broken) = await PatchAsync(location, offset, Math.Min(_pieceSize, blob.Size - offset), cancellationToken).ConfigureAwait(false);
            if (broken is null && next <= offset)
                broken = RegistryErrors.Malformed(connection, _what, $"it says that it has {next} bytes of it, and it had {offset} before it was sent more");
            if (broken is not null)
            {
                failure = broken;
                if (++inVain >= connection.Options.Attempts || await AskAsync(location, cancellationToken).ConfigureAwait(false) is not { } held)
                    return (false, failure);
                (answer, next) = held;
                await Task.Delay(RegistryRetry.Pause(connection.Options, inVain, null), cancellationToken).ConfigureAwait(false);
            }
            if (next > offset)
                inVain = 0;
            (location, offset) = (answer, next);
            _mostTaken = Math.Max(_mostTaken, offset);
        }
        var (isDone, last, _) = await PutAsync(location, blob.Size, 0, cancellationToken).ConfigureAwait(false);
        return (isDone, last);
    }

    /// <summary>Sends the rest, or nothing, and has the registry close the upload.</summary>
    private async Task<(bool IsDone, BuildKitException? Failure, bool IsTooMuch)> PutAsync(string location, long offset, long length, CancellationToken cancellationToken)
    {
        var separator = location.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        var request = new RegistryRequest(HttpMethod.Put, $"{location}{separator}digest={Uri.EscapeDataString(blob.Digest.ToString())}", RegistryScope.Push(client.Repository), _what);
        var (response, failure) = await SendPieceAsync(request, offset, length, isPiece: false, cancellationToken).ConfigureAwait(false);
        using (response)
        {
            if (response is null)
                return (false, failure, false);
            if (response.IsSuccessStatusCode)
            {
                if (RegistryClient.DigestOf(response) is { } stored && stored.Algorithm == blob.Digest.Algorithm && stored != blob.Digest)
                    throw RegistryErrors.DigestMismatch(connection, _what, blob.Digest, stored);
                return (true, null, false);
            }
            failure = await connection.FailureAsync(request, response, cancellationToken).ConfigureAwait(false);
            var isTooMuch = response.StatusCode == HttpStatusCode.RequestEntityTooLarge && length > PieceSize;
            return isTooMuch || MayBegin(response.StatusCode) ? (false, failure, isTooMuch) : throw failure;
        }
    }

    private async Task<(string Location, long Offset, BuildKitException? Failure)> PatchAsync(string location, long offset, long length, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest(HttpMethod.Patch, location, RegistryScope.Push(client.Repository), _what);
        var (response, failure) = await SendPieceAsync(request, offset, length, isPiece: true, cancellationToken).ConfigureAwait(false);
        using (response)
        {
            if (response is null)
                return (location, offset, failure);
            if (response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.NoContent or HttpStatusCode.Created)
                return (Location(response) ?? location, Held(response) ?? (offset + length), null);
            failure = await connection.FailureAsync(request, response, cancellationToken).ConfigureAwait(false);
            return MayBegin(response.StatusCode) ? (location, offset, failure) : throw failure;
        }
    }

    private async Task<(HttpResponseMessage? Response, BuildKitException? Failure)> SendPieceAsync(
        RegistryRequest request, long offset, long length, bool isPiece, CancellationToken cancellationToken)
    {
        RegistryUploadContent? content = null;
        try
        {
            if (length > 0)
                await SeekAsync(offset, cancellationToken).ConfigureAwait(false);
            var response = await connection.SendAsync(request with { Content = Create, CanRepeat = length == 0 }, cancellationToken).ConfigureAwait(false);
            return (response, null);
        }
        catch (BuildKitException e) when (e.ErrorId == "BuildKit.RegistryUnreachable" && content?.Failure is null)
        {
            return (null, e);
        }
        catch (Exception) when (content?.Failure is not null)
        {
            ExceptionDispatchInfo.Throw(content.Failure);
            throw;
        }
        finally
        {
            _position += content?.Consumed ?? 0;
        }

        HttpContent Create(Action stillAlive)
        {
            if (content is { Consumed: > 0 })
                throw new HttpRequestException("the registry changed its mind about the credentials in the middle of a blob");
            var sent = offset;
            content = new RegistryUploadContent(_source ?? Stream.Null, length, count =>
            {
                stillAlive();
                progress?.Invoke(sent += count);
            });
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            if (isPiece)
                content.Headers.TryAddWithoutValidation("Content-Range", $"{offset}-{offset + length - 1}");
            return content;
        }
    }

    /// <summary>What the registry has of the upload, and where it goes on; null where it has lost it.</summary>
    private async Task<(string Location, long Offset)?> AskAsync(string location, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest(HttpMethod.Get, location, RegistryScope.Push(client.Repository), _what);
        using var response = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.OK or HttpStatusCode.Accepted) || Held(response) is not { } held || held > blob.Size)
            return null;
        _mostTaken = Math.Max(_mostTaken, held);
        progress?.Invoke(held);
        return (Location(response) ?? location, held);
    }

    // What nobody asks for any more would lie around until the registry tidies up. Whatever comes of it matters to nobody.
    private async Task CancelAsync(string location)
    {
        using var patience = new CancellationTokenSource(CancelPatience);
        try
        {
            var request = new RegistryRequest(HttpMethod.Delete, location, RegistryScope.Push(client.Repository), _what) { CanRepeat = false };
            (await connection.SendAsync(request, patience.Token).ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is BuildKitException or OperationCanceledException)
        {
        }
    }

    private async Task SeekAsync(long offset, CancellationToken cancellationToken)
    {
        if (_source is null || offset < _position)
        {
            if (_source is not null)
                await _source.DisposeAsync().ConfigureAwait(false);
            _source = await open(cancellationToken).ConfigureAwait(false);
            _position = 0;
        }
        var buffer = new byte[64 * 1024];
        while (_position < offset)
        {
            var count = (int)Math.Min(buffer.Length, offset - _position);
            await _source.ReadExactlyAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            _position += count;
        }
    }

    // An upload that the registry does not know any more, or not like that: everything is sent anew.
    private static bool MayBegin(HttpStatusCode status) =>
        RegistryRetry.MayGoAway(status) || status is HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable;

    private static string? Location(HttpResponseMessage response) =>
        response.Headers.Location is { } location && response.RequestMessage?.RequestUri is { } from ? new Uri(from, location).AbsoluteUri : null;

    // "0-N", both inclusive; "0-0" is said of nothing at all, too.
    private static long? Held(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("Range", out var values) && !response.Content.Headers.NonValidated.TryGetValues("Range", out values))
            return null;
        var text = values.ToString();
        text = text.StartsWith("bytes=", StringComparison.Ordinal) ? text[6..] : text;
        return text.StartsWith("0-", StringComparison.Ordinal) && long.TryParse(text[2..], NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last == 0 ? 0 : last + 1 : null;
    }

    private static ByteArrayContent Nothing(Action stillAlive) => new ByteArrayContent([]);
}
