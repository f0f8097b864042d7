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
    private string _location = "";
    private long _pieceSize = PieceSize;
    private long _mostTaken;

    public async Task<bool> RunAsync(string? mountFrom, CancellationToken cancellationToken)
    {
        try
        {
            var inVain = 0;
            while (true)
            {
                if (await StartAsync(mountFrom, cancellationToken).ConfigureAwait(false))
                    return true;
                var before = _mostTaken;
                if (await SendAsync(inVain == 0 && before == 0, cancellationToken).ConfigureAwait(false) is not { } setback)
                    return false;
                inVain = _mostTaken > before ? 1 : inVain + 1;
                var isLast = inVain >= connection.Options.Attempts;
                if (!isLast && !await WaitAsync(setback, inVain, cancellationToken).ConfigureAwait(false))
                    throw setback.Error;
                // Where the answer alone was lost, the blob is there.
                if (await client.HeadBlobAsync(blob.Digest, cancellationToken).ConfigureAwait(false) == blob.Size)
                    return false;
                if (isLast)
                    throw setback.Error;
                mountFrom = null;
            }
        }
        finally
        {
            if (_source is not null)
                await _source.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Opens an upload, or has the registry take the blob over from the other repository: true, and there is nothing to send.</summary>
    private async Task<bool> StartAsync(string? mountFrom, CancellationToken cancellationToken)
    {
        var uploads = $"/v2/{client.Repository}/blobs/uploads/";
        if (mountFrom is not null && await MountAsync(uploads, mountFrom, cancellationToken).ConfigureAwait(false) is { } isMounted)
            return isMounted;
        var request = new RegistryRequest(HttpMethod.Post, uploads, RegistryScope.Push(client.Repository), _what) { Content = Nothing };
        using var response = await connection.SendAsync(request, [HttpStatusCode.Accepted], cancellationToken).ConfigureAwait(false);
        if (response.Headers.TryGetValues("OCI-Chunk-Min-Length", out var values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var least))
            _pieceSize = Math.Max(PieceSize, Math.Min(least, blob.Size));
        _location = Location(response) ?? throw RegistryErrors.Malformed(connection, _what, "it opens an upload and does not say where");
        return false;
    }

    /// <summary>Whether the registry took the blob over, where it did not open an upload instead; null where it did neither.</summary>
    private async Task<bool?> MountAsync(string uploads, string from, CancellationToken cancellationToken)
    {
        var mount = new RegistryRequest(
            HttpMethod.Post, $"{uploads}?mount={blob.Digest}&from={Uri.EscapeDataString(from)}", RegistryScope.Mount(client.Repository, from), _what)
        { Content = Nothing };
        try
        {
            using var mounted = await connection.SendAsync(mount, cancellationToken).ConfigureAwait(false);
            if (mounted.StatusCode == HttpStatusCode.Created)
                return true;
            if (mounted.StatusCode != HttpStatusCode.Accepted || Location(mounted) is not { } location)
                return null;
            _location = location;
            return false;
        }
        catch (BuildKitException e) when (e.ErrorId is "BuildKit.RegistryDenied" or "BuildKit.TokenFetchFailed")
        {
            // The other repository may be closed to this account; that is no reason not to push to this one.
            return null;
        }
    }

    /// <summary>Sends it; null where it is there, or else why this upload can't go on.</summary>
    private async Task<Setback?> SendAsync(bool isWhole, CancellationToken cancellationToken)
    {
        var isDone = false;
        try
        {
            Setback? setback = null;
            if (isWhole)
            {
                (setback, var isTooMuch) = await PutAsync(0, blob.Size, cancellationToken).ConfigureAwait(false);
                if (setback is not null && !isTooMuch && blob.Size <= PieceSize)
                    return setback;
            }
            if (!isWhole || setback is not null)
                setback = await SendPiecesAsync(setback, cancellationToken).ConfigureAwait(false);
            isDone = setback is null;
            return setback;
        }
        finally
        {
            if (!isDone)
                await CancelAsync().ConfigureAwait(false);
        }
    }

    /// <param name="setback">What became of the whole of it; null where nothing of this upload was sent.</param>
    /// <param name="cancellationToken">Ends the upload.</param>
    private async Task<Setback?> SendPiecesAsync(Setback? setback, CancellationToken cancellationToken)
    {
        // Only a broken upload may hold something.
        long offset = 0;
        if (setback is not null)
        {
            if (await AskAsync(setback, 0, cancellationToken).ConfigureAwait(false) is not { } held)
                return setback;
            offset = held;
            IsProgress(held);
        }
        for (var inVain = 0; offset < blob.Size;)
        {
            var (next, broken) = await PatchAsync(offset, Math.Min(_pieceSize, blob.Size - offset), cancellationToken).ConfigureAwait(false);
            if (broken is null && next <= offset)
                broken = new(RegistryErrors.Malformed(connection, _what, $"it says that it has {next} bytes of it, and it had {offset} before it was sent more"));
            if (broken is not null)
            {
                if (++inVain >= connection.Options.Attempts || await AskAsync(broken, inVain, cancellationToken).ConfigureAwait(false) is not { } held)
                    return broken;
                next = held;
            }
            // What was sent before and lost since is no progress.
            if (IsProgress(next))
                inVain = 0;
            offset = next;
        }
        return (await PutAsync(blob.Size, 0, cancellationToken).ConfigureAwait(false)).Setback;
    }

    private bool IsProgress(long taken)
    {
        var isProgress = taken > _mostTaken;
        _mostTaken = Math.Max(_mostTaken, taken);
        return isProgress;
    }

    /// <summary>Sends the rest, or nothing, and has the registry close the upload; without a setback the blob is there.</summary>
    private async Task<(Setback? Setback, bool IsTooMuch)> PutAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var separator = _location.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        var request = new RegistryRequest(HttpMethod.Put, $"{_location}{separator}digest={Uri.EscapeDataString(blob.Digest.ToString())}", RegistryScope.Push(client.Repository), _what);
        var (response, broken) = await SendPieceAsync(request, offset, length, isPiece: false, cancellationToken).ConfigureAwait(false);
        using (response)
        {
            if (response is null)
                return (broken, false);
            if (response.IsSuccessStatusCode)
            {
                if (RegistryClient.DigestOf(response) is { } stored && stored.Algorithm == blob.Digest.Algorithm && stored != blob.Digest)
                    throw RegistryErrors.DigestMismatch(connection, _what, blob.Digest, stored);
                return (null, false);
            }
            var isTooMuch = response.StatusCode == HttpStatusCode.RequestEntityTooLarge && length > PieceSize;
            return (await SetbackAsync(request, response, isTooMuch, cancellationToken).ConfigureAwait(false), isTooMuch);
        }
    }

    /// <summary>Sends a piece; how much the registry has then, as far as it says so.</summary>
    private async Task<(long Taken, Setback? Setback)> PatchAsync(long offset, long length, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest(HttpMethod.Patch, _location, RegistryScope.Push(client.Repository), _what);
        var (response, broken) = await SendPieceAsync(request, offset, length, isPiece: true, cancellationToken).ConfigureAwait(false);
        using (response)
        {
            if (response is null)
                return (offset, broken);
            if (response.StatusCode is not (HttpStatusCode.Accepted or HttpStatusCode.NoContent or HttpStatusCode.Created))
                return (offset, await SetbackAsync(request, response, false, cancellationToken).ConfigureAwait(false));
            _location = Location(response) ?? _location;
            return (Held(response) ?? (offset + length), null);
        }
    }

    /// <summary>What an answer that is no success means for the upload; those that no further attempt can change are thrown.</summary>
    private async Task<Setback> SetbackAsync(RegistryRequest request, HttpResponseMessage response, bool mayGoOn, CancellationToken cancellationToken)
    {
        var error = await connection.FailureAsync(request, response, cancellationToken).ConfigureAwait(false);
        return mayGoOn || MayBegin(response.StatusCode) ? new(error, RegistryRetry.Asked(response)) : throw error;
    }

    /// <summary>Waits before the next attempt; false where the registry wants to be left alone for longer than anybody waits.</summary>
    /// <param name="setback">Why another attempt is needed.</param>
    /// <param name="inVain">How many attempts were in vain; 0 to wait no longer than the registry asks for.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    private async Task<bool> WaitAsync(Setback setback, int inVain, CancellationToken cancellationToken)
    {
        if (setback.Asked > connection.Options.LongestRetryDelay)
            return false;
        await Task.Delay(inVain == 0 ? setback.Asked : RegistryRetry.Pause(connection.Options, inVain, setback.Asked), cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<(HttpResponseMessage? Response, Setback? Setback)> SendPieceAsync(
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
            return (null, new(e));
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

    /// <summary>How much the registry has of the upload after a setback; null where it has lost it.</summary>
    private async Task<long?> AskAsync(Setback setback, int inVain, CancellationToken cancellationToken)
    {
        if (!await WaitAsync(setback, inVain, cancellationToken).ConfigureAwait(false))
            return null;
        var request = new RegistryRequest(HttpMethod.Get, _location, RegistryScope.Push(client.Repository), _what);
        using var response = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.OK or HttpStatusCode.Accepted) || Held(response) is not { } held || held > blob.Size)
            return null;
        _location = Location(response) ?? _location;
        progress?.Invoke(held);
        return held;
    }

    // What nobody asks for any more would lie around until the registry tidies up. Whatever comes of it matters to nobody.
    private async Task CancelAsync()
    {
        using var patience = new CancellationTokenSource(CancelPatience);
        try
        {
            var request = new RegistryRequest(HttpMethod.Delete, _location, RegistryScope.Push(client.Repository), _what) { CanRepeat = false };
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

    /// <summary>Why some of it has to be sent again.</summary>
    /// <param name="Error">The error, where it stays so.</param>
    /// <param name="Asked">How long the registry wants to be left alone.</param>
    private sealed record Setback(BuildKitException Error, TimeSpan Asked = default);
}
