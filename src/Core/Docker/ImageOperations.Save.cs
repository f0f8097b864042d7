namespace BuildKit.Docker;

/// <content>Saving.</content>
internal sealed partial class ImageOperations
{
    private const int SaveBufferSize = 1 << 20;

    /// <summary><c>GET /images/{name}/get</c>: an image as an archive, with everything that the Engine has of it.</summary>
    /// <param name="name">A name, a name with digest, or an id.</param>
    /// <param name="destination">Takes the tar archive.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.ImageNotFound</c>, or the connection broke. An archive that the Engine could not finish may just end early.</exception>
    public async Task SaveImageAsync(string name, Stream destination, CancellationToken cancellationToken)
    {
        // Asked of first: the answer to a save is 200 before the Engine has looked for the image.
        await InspectImageAsync(name, cancellationToken).ConfigureAwait(false);
        using var http = client.CreateHttpClient(stream => stream);
        using var response = await client.SendAsync(http, HttpMethod.Get, $"images/get?names={Uri.EscapeDataString(name)}", null, cancellationToken).ConfigureAwait(false);
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[SaveBufferSize];
        for (int count; (count = await ReadAsync(body, buffer, cancellationToken).ConfigureAwait(false)) > 0;)
            await destination.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
    }

    // What fails where it is written to is no fault of the connection.
    private async ValueTask<int> ReadAsync(Stream body, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw client.ConnectionLost(exception);
        }
    }
}
