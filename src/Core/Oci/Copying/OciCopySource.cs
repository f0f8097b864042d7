using BuildKit.Docker;
using BuildKit.Oci.Editing;
using BuildKit.Registry;

namespace BuildKit.Oci.Copying;

/// <summary>The image that is to be copied.</summary>
/// <param name="Content">Where it is; disposed with this.</param>
/// <param name="Root">The image there.</param>
/// <param name="Name">What it is called there, or null.</param>
internal sealed record OciCopySource(OciContentSource Content, OciDescriptor Root, OciImageName? Name) : IAsyncDisposable
{
    /// <summary>Finds the image.</summary>
    /// <exception cref="BuildKitException">It is not there, several are and the address does not say which, or the place can't be read.</exception>
    public static async Task<OciCopySource> OpenAsync(OciAddress address, OciCopyPlaces places, CancellationToken cancellationToken)
    {
        if (address.Transport == OciTransport.Registry)
            return await OpenRegistryAsync(address, places.Registries, cancellationToken).ConfigureAwait(false);
        var content = address.Transport == OciTransport.DockerDaemon
            ? await EngineContentSource.OpenAsync(await places.GetEngineAsync(cancellationToken).ConfigureAwait(false), address, cancellationToken).ConfigureAwait(false)
            : await DockerArchiveSource.OpenAnyAsync(address.Path!, cancellationToken).ConfigureAwait(false);
        try
        {
            var index = await content.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
            if (index.Manifests.Count == 0)
                throw OciErrors.Empty(content.Location);
            // An Engine gave what was asked for, whatever it calls it.
            var reference = address.Transport == OciTransport.DockerDaemon ? null : address.Reference;
            // Signatures and the like are listed beside the image that they are about.
            var images = await WithoutReferrersAsync(content, index.Manifests, reference, cancellationToken).ConfigureAwait(false);
            var (group, name) = OciImageGroup.Choose(
                content.Location, OciImageGroup.Create(images), reference, "Name one of them: oci-layout://PATH:TAG or oci-layout://PATH@DIGEST, oci-archive:PATH:NAME.");
            var given = address.Transport == OciTransport.DockerDaemon && ImageReference.TryParse(address.Reference!) is { Tag: not null } image
                ? OciImageName.FromImage(image.ToString())
                : name;
            return new OciCopySource(content, group.EntryOf(name), given);
        }
        catch
        {
            await content.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public ValueTask DisposeAsync() => Content.DisposeAsync();

    private static async Task<OciCopySource> OpenRegistryAsync(OciAddress address, RegistrySession registries, CancellationToken cancellationToken)
    {
        var content = await OciAddressSource.OpenAsync(address, registries, cancellationToken).ConfigureAwait(false);
        var root = (await content.ReadIndexAsync(cancellationToken).ConfigureAwait(false)).Manifests[0];
        var reference = ImageReference.Parse(address.Reference!);
        return new OciCopySource(content, root, reference.Tag is null ? null : OciImageName.FromImage($"{reference.Repository}:{reference.Tag}"));
    }

    private static async Task<IReadOnlyList<OciDescriptor>> WithoutReferrersAsync(
        OciContentSource content, IReadOnlyList<OciDescriptor> manifests, string? reference, CancellationToken cancellationToken)
    {
        if (manifests.Count == 1 || reference is not null)
            return manifests;
        var images = new List<OciDescriptor>();
        foreach (var manifest in manifests)
        {
            if (manifest.Name is not null || await OciDocument.FindSubjectAsync(content, manifest, cancellationToken).ConfigureAwait(false) is null)
                images.Add(manifest);
        }
        return images;
    }
}
