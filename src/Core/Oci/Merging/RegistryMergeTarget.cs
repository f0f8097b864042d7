using BuildKit.Registry;

namespace BuildKit.Oci.Merging;

/// <summary>A repository of a registry.</summary>
/// <param name="client">The repository.</param>
/// <param name="tags">The names that the index gets.</param>
internal sealed class RegistryMergeTarget(RegistryClient client, IReadOnlyList<string> tags) : IOciMergeTarget
{
    // A registry takes no manifest whose parts it has not got.
    public async Task<bool> HasDocumentAsync(OciDescriptor blob, CancellationToken cancellationToken) =>
        await client.HeadManifestAsync(blob.Digest.ToString(), cancellationToken).ConfigureAwait(false) is not null;

    public async Task PutDocumentAsync(OciDescriptor blob, byte[] content, CancellationToken cancellationToken) =>
        await client.PutManifestAsync(blob.Digest.ToString(), blob.MediaType, content, cancellationToken).ConfigureAwait(false);

    public async Task<bool> CopyBlobAsync(OciContentSource source, OciDescriptor blob, CancellationToken cancellationToken)
    {
        if (await client.HeadBlobAsync(blob.Digest, cancellationToken).ConfigureAwait(false) is not null)
            return false;
        var mountFrom = source is RegistrySource { Client: var other } && other.Host == client.Host ? other.Repository : null;
        return !await client.PutBlobAsync(blob, token => source.OpenBlobAsync(blob, token), mountFrom, null, cancellationToken).ConfigureAwait(false);
    }

    public async Task NameAsync(OciDescriptor index, byte[] content, CancellationToken cancellationToken)
    {
        foreach (var tag in tags)
            await client.PutManifestAsync(tag, index.MediaType, content, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
    }
}
