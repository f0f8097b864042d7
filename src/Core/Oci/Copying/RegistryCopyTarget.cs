using BuildKit.Docker;
using BuildKit.Registry;

namespace BuildKit.Oci.Copying;

/// <summary>A repository of a registry. The tag is put last.</summary>
/// <param name="client">The repository; stays the caller's.</param>
/// <param name="reference">The tag or digest that the image is to have.</param>
internal sealed class RegistryCopyTarget(RegistryClient client, ImageReference reference) : OciCopyTarget
{

    public override async Task<OciCopyState> PutBlobAsync(OciDescriptor blob, OciContentSource source, Action<long> progress, CancellationToken cancellationToken)
    {
        if (await client.HeadBlobAsync(blob.Digest, cancellationToken).ConfigureAwait(false) is { } size && (size < 0 || size == blob.Size))
            return OciCopyState.Skipped;
        var mountFrom = source.SourceOf(blob.Digest) is RegistryContentSource { Client: var other } && other.Host == client.Host && other.Repository != client.Repository ? other.Repository : null;
        return await client.PutBlobAsync(blob, token => source.OpenBlobAsync(blob, token), mountFrom, progress, cancellationToken).ConfigureAwait(false)
            ? OciCopyState.Mounted
            : OciCopyState.Copied;
    }

    public override async Task FinishAsync(OciCopyPlan plan, CancellationToken cancellationToken)
    {
        foreach (var (manifest, content) in plan.Manifests)
        {
            var isNamed = manifest.Digest == plan.Root.Digest && reference.Digest is null;
            await client.PutManifestAsync(isNamed ? reference.Tag! : manifest.Digest.ToString(), manifest.MediaType, content, cancellationToken).ConfigureAwait(false);
        }
    }
}
