namespace BuildKit.Registry;

/// <summary>Small bodies, read into memory with a limit.</summary>
internal static class RegistryBody
{
    /// <param name="response">The answer.</param>
    /// <param name="limit">How many bytes it may have.</param>
    /// <param name="timeout">How long it may take; a body that takes longer breaks off.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidDataException">It is longer than the limit.</exception>
    /// <exception cref="IOException">It breaks off; or <see cref="HttpRequestException"/>.</exception>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, int limit, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > limit)
            throw new InvalidDataException($"it is longer than {limit} bytes");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(timeout);
        try
        {
            var body = await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
            using var bytes = new MemoryStream();
            var buffer = new byte[16 * 1024];
            for (int count; (count = await body.ReadAsync(buffer, patience.Token).ConfigureAwait(false)) > 0;)
            {
                bytes.Write(buffer, 0, count);
                if (bytes.Length > limit)
                    throw new InvalidDataException($"it is longer than {limit} bytes");
            }
            return bytes.ToArray();
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"it did not come within {timeout.TotalSeconds:0.#} s", e);
        }
    }
}
