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
        source = source.SourceOf(blob.Digest);
        var mountFrom = source is RegistryContentSource { Client: var other } && other.Host == client.Host && other.Repository != client.Repository ? other.Repository : null;
        try
        {
            return await client.PutBlobAsync(blob, Open, mountFrom, progress, cancellationToken).ConfigureAwait(false) ? OciCopyState.Mounted : OciCopyState.Copied;
        }
        catch (BuildKitException e) when (e.ErrorId == "BuildKit.RegistryFailed" && source is OciLayoutSource)
        {
            // A registry that found another digest cannot tell whose fault that is.
            await DemandSoundAsync(source, blob, cancellationToken).ConfigureAwait(false);
            throw;
        }

        // The registry computes the digest of what it gets (distribution-spec, «Pushing Blobs»). To do so here, too, for files of this machine would cost more than all the rest.
        Task<Stream> Open(CancellationToken token) => source is OciLayoutSource files ? Task.FromResult(files.OpenContent(blob)) : source.OpenBlobAsync(blob, token);
    }

    public override async Task FinishAsync(OciCopyPlan plan, CancellationToken cancellationToken)
    {
        foreach (var (manifest, content) in plan.Manifests)
        {
            var name = manifest.Digest == plan.Root.Digest ? reference.Tag : null;
            await client.PutManifestAsync(name ?? manifest.Digest.ToString(), manifest.MediaType, content, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <exception cref="BuildKitException"><c>BuildKit.OciBlobInvalid</c>.</exception>
    private static async Task DemandSoundAsync(OciContentSource source, OciDescriptor blob, CancellationToken cancellationToken)
    {
        var content = await source.OpenBlobAsync(blob, cancellationToken).ConfigureAwait(false);
        await using (content.ConfigureAwait(false))
            await OciBlobCopy.DrainAsync(content, cancellationToken).ConfigureAwait(false);
    }
}
