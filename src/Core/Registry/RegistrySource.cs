using BuildKit.Docker;
using BuildKit.Oci;

namespace BuildKit.Registry;

/// <summary>A name in a registry as a place to read from: its index has one entry, which is what the name leads to.</summary>
/// <param name="client">The repository.</param>
/// <param name="reference">The name.</param>
internal sealed class RegistrySource(RegistryClient client, ImageReference reference) : OciContentSource
{
    private RegistryManifest? _root;

    /// <summary>The repository.</summary>
    public RegistryClient Client => client;

    /// <inheritdoc/>
    public override string Location => reference.Repository;

    /// <inheritdoc/>
    public override async Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        _root ??= await client.GetManifestAsync(reference.Digest ?? reference.Tag!, cancellationToken).ConfigureAwait(false);
        var index = OciIndex.CreateEmpty();
        index.Replace([reference.Tag is { } tag ? _root.Descriptor.With($"{reference.Repository}:{tag}", tag) : _root.Descriptor]);
        return index;
    }

    /// <inheritdoc/>
    public override async Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken) =>
        digest == _root?.Descriptor.Digest ? _root.Descriptor.Size
        : await client.HeadBlobAsync(digest, cancellationToken).ConfigureAwait(false)
            ?? (await client.HeadManifestAsync(digest.ToString(), cancellationToken).ConfigureAwait(false))?.Size;

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal override string ReferenceTo(OciDigest digest) => (reference with { Tag = null, Digest = digest.ToString() }).ToString();

    /// <inheritdoc/>
    protected override async Task<Stream> OpenContentAsync(OciDescriptor blob, CancellationToken cancellationToken)
    {
        if (OciMediaType.KindOf(blob.MediaType) is not (OciBlobKind.Index or OciBlobKind.Manifest))
            return await client.GetBlobAsync(blob, cancellationToken).ConfigureAwait(false);
        var manifest = blob.Digest == _root?.Descriptor.Digest ? _root : await client.GetManifestAsync(blob.Digest.ToString(), cancellationToken).ConfigureAwait(false);
        return new MemoryStream(manifest.Content, writable: false);
    }
}
