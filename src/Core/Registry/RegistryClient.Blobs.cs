using System.Net;
using BuildKit.Oci;

namespace BuildKit.Registry;

/// <content>Blobs.</content>
internal sealed partial class RegistryClient
{
    /// <summary>Tells whether the repository has a blob.</summary>
    /// <param name="digest">The blob.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>Its size in bytes, -1 where the registry does not say; null where there is none.</returns>
    /// <exception cref="BuildKitException">Those of <see cref="HeadManifestAsync"/>.</exception>
    public async Task<long?> HeadBlobAsync(OciDigest digest, CancellationToken cancellationToken)
    {
        using var response = await connection.SendAsync(BlobRequest(HttpMethod.Head, digest), [HttpStatusCode.OK, HttpStatusCode.NotFound], cancellationToken).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.NotFound ? null : response.Content.Headers.ContentLength ?? -1;
    }

    /// <summary>
    /// Opens a blob. A connection that breaks is taken up again where it broke. What is read is not checked: whoever reads computes the digest, as
    /// <see cref="OciContentSource.OpenBlobAsync"/> does.
    /// </summary>
    /// <param name="blob">The blob.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>A stream to read forward; the caller disposes it.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.OciBlobNotFound</c>, and those of <see cref="HeadManifestAsync"/>.</exception>
    public async Task<Stream> GetBlobAsync(OciDescriptor blob, CancellationToken cancellationToken)
    {
        var stream = new RegistryBlobStream(connection, BlobRequest(HttpMethod.Get, blob.Digest), $"{Host}/{repository}", blob);
        try
        {
            await stream.OpenAsync(cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Puts a blob, or has the registry take it over from another of its repositories. The blob is there in the end, whole, or this fails.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="open">Opens its content from the beginning; called again where the registry lost what it was sent.</param>
    /// <param name="mountFrom">A repository of this registry that may have it, or null.</param>
    /// <param name="progress">Is told how many bytes the registry has taken; the number falls where some were lost. Or null.</param>
    /// <param name="cancellationToken">Ends the upload.</param>
    /// <returns>Whether the registry had it already, and no byte was sent.</returns>
    /// <exception cref="BuildKitException">Those of <see cref="HeadManifestAsync"/>, and what <paramref name="open"/> and its stream throw.</exception>
    public Task<bool> PutBlobAsync(
        OciDescriptor blob, Func<CancellationToken, Task<Stream>> open, string? mountFrom, Action<long>? progress, CancellationToken cancellationToken) =>
        new RegistryBlobUpload(connection, this, blob, open, progress).RunAsync(mountFrom, cancellationToken);

    private RegistryRequest BlobRequest(HttpMethod method, OciDigest digest) =>
        new(method, $"/v2/{repository}/blobs/{digest}", RegistryScope.Pull(repository), $"the blob {digest} of '{repository}'");
}
