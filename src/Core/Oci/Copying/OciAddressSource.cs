using BuildKit.Docker;
using BuildKit.Oci.Editing;
using BuildKit.Registry;

namespace BuildKit.Oci.Copying;

/// <summary>Places as whole: everything that is in them, where an address does not say which image is meant.</summary>
internal static class OciAddressSource
{
    /// <summary>Opens a place for reading.</summary>
    /// <param name="address">The place.</param>
    /// <param name="registries">Has to outlive what is returned.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>The source; the caller disposes it.</returns>
    /// <exception cref="BuildKitException">It is not there, or can't be read; <c>BuildKit.AddressNotSupported</c> for an image of a Docker Engine.</exception>
    public static async Task<OciContentSource> OpenAsync(OciAddress address, RegistrySession registries, CancellationToken cancellationToken)
    {
        if (address.Path is { } path)
            return await DockerArchiveSource.OpenAnyAsync(path, cancellationToken).ConfigureAwait(false);
        if (address.Transport == OciTransport.DockerDaemon)
            throw new BuildKitException(
                "BuildKit.AddressNotSupported", BuildKitErrorCategory.NotSupported, $"'{address}' is an image of a Docker Engine, which is not read from where it is.",
                "Copy it first: Copy-OciImage docker-daemon:NAME oci-archive:PATH.")
            { Target = address.ToString() };
        var reference = ImageReference.Parse(address.Reference!);
        var client = await registries.GetAsync(reference, cancellationToken).ConfigureAwait(false);
        var root = await client.GetManifestAsync(reference.Digest ?? reference.Tag!, cancellationToken).ConfigureAwait(false);
        return new RegistryContentSource(client, reference.Repository, root);
    }

    /// <summary>The digest that an address in a layout has: what is meant by it may be anywhere below the index.</summary>
    public static OciDigest? DigestOf(OciAddress address) => address.Path is not null && OciDigest.TryParse(address.Reference, out var digest) ? digest : null;

    /// <summary>The entry of the source's index that the name in an address means, with its names; all entries where there is none, or a digest.</summary>
    /// <exception cref="OciImagesDifferException">Several images have that short name.</exception>
    /// <exception cref="BuildKitException"><c>BuildKit.OciImageNotFound</c>.</exception>
    public static async Task<IReadOnlyList<OciDescriptor>> SelectAsync(OciAddress address, OciContentSource source, CancellationToken cancellationToken)
    {
        var index = await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        if (address.Path is null)
        {
            var reference = ImageReference.Parse(address.Reference!);
            return index.Manifests.Select(root => reference.Tag is { } tag ? root.With($"{reference.Repository}:{tag}", tag) : root).ToList();
        }
        if (address.Reference is not { } name || DigestOf(address) is not null)
            return index.Manifests;
        var (group, meant) = OciImageGroup.Choose(source.Location, OciImageGroup.Create(index.Manifests), name, "Say which one by its whole name or its digest.");
        return [group.EntryOf(meant)];
    }
}
