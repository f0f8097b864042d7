using BuildKit.Registry;

namespace BuildKit.Oci.Copying;

/// <summary>An image in a registry, read as if it were the only one of a layout.</summary>
/// <param name="client">Its repository; stays the caller's.</param>
/// <param name="location">What a person calls it.</param>
/// <param name="root">What its name leads to.</param>
internal sealed class RegistryContentSource(RegistryClient client, string location, RegistryManifest root) : OciContentSource
{
    public override string Location => location;

    internal override string Repository => $"{client.Host}/{client.Repository}";

    public RegistryClient Client => client;

    public override Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        var index = OciIndex.CreateEmpty();
        index.Replace([root.Descriptor]);
        return Task.FromResult(index);
    }

    // Most of what is asked for is no manifest; a registry keeps those apart.
    public override async Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken)
    {
        if (digest == root.Descriptor.Digest)
            return root.Descriptor.Size;
        return await client.HeadBlobAsync(digest, cancellationToken).ConfigureAwait(false)
            ?? (await client.HeadManifestAsync(digest.ToString(), cancellationToken).ConfigureAwait(false))?.Size;
    }

    internal override Task<IReadOnlyList<OciDescriptor>> FindReferrersAsync(OciDigest subject, CancellationToken cancellationToken) =>
        client.GetReferrersAsync(subject, cancellationToken);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override async Task<Stream> OpenContentAsync(OciDescriptor blob, CancellationToken cancellationToken)
    {
        if (blob.Digest == root.Descriptor.Digest)
            return new MemoryStream(root.Content, writable: false);
        if (OciMediaType.KindOf(blob.MediaType) is OciBlobKind.Index or OciBlobKind.Manifest)
            return new MemoryStream((await client.GetManifestAsync(blob.Digest.ToString(), cancellationToken).ConfigureAwait(false)).Content, writable: false);
        return await client.GetBlobAsync(blob, cancellationToken).ConfigureAwait(false);
    }
}
