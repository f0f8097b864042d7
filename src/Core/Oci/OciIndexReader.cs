using BuildKit.Oci.Copying;
using BuildKit.Registry;

namespace BuildKit.Oci;

/// <summary>Lists what a layout holds, or an image in a registry.</summary>
public static class OciIndexReader
{
    /// <summary>Lists the entries of a layout's index.</summary>
    /// <param name="path">The layout: a directory, an archive or an index file.</param>
    /// <param name="recurse">Whether to go on into the indexes and manifests that are listed, as far as they are there. What occurs twice is gone into once.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The entries, each before those below it.</returns>
    /// <exception cref="BuildKitException">The layout can't be read.</exception>
    public static async Task<IReadOnlyList<OciIndexEntry>> ListAsync(string path, bool recurse, CancellationToken cancellationToken)
    {
        var source = await OciContentSources.OpenAsync(path, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            var index = await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
            return await ListAsync(source, Below(index, "index.json"), recurse ? int.MaxValue : 1, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lists what an address means, and what that lists itself, as <c>docker buildx imagetools inspect</c> does.</summary>
    /// <param name="address">A place with an image: in a registry, or in a layout.</param>
    /// <param name="recurse">Whether to go on into all that is listed.</param>
    /// <param name="isInsecure">Whether registries elsewhere may be without TLS, or with a certificate that nobody vouches for.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The entries, each before those below it; their places begin with the address's name.</returns>
    /// <exception cref="BuildKitException">It is not there, or can't be read.</exception>
    public static async Task<IReadOnlyList<OciIndexEntry>> ListAsync(OciAddress address, bool recurse, bool isInsecure, CancellationToken cancellationToken)
    {
        if (address is { Path: { } path, Reference: null })
            return await ListAsync(path, recurse, cancellationToken).ConfigureAwait(false);
        using var registries = new RegistrySession(isInsecure);
        var source = await OciAddressSource.OpenAsync(address, registries, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            var roots = await OciAddressSource.SelectAsync(address, source, cancellationToken).ConfigureAwait(false);
            return await ListAsync(source, roots.Select(root => (root, address.Reference!)), recurse ? int.MaxValue : 2, cancellationToken).ConfigureAwait(false);
        }
    }

    private static IEnumerable<(OciDescriptor Manifest, string Place)> Below(OciIndex index, string place) =>
        index.Manifests.Select((manifest, i) => (manifest, $"{place}/manifests[{i}]"));

    private static async Task<IReadOnlyList<OciIndexEntry>> ListAsync(
        OciContentSource source, IEnumerable<(OciDescriptor Manifest, string Place)> roots, int levels, CancellationToken cancellationToken)
    {
        var entries = new List<OciIndexEntry>();
        var visited = new HashSet<OciDigest>();
        await AddAsync(roots, 1).ConfigureAwait(false);
        return entries;

        async Task AddAsync(IEnumerable<(OciDescriptor Manifest, string Place)> listed, int depth)
        {
            foreach (var (manifest, place) in listed)
            {
                if (depth > OciDocument.MaxDepth)
                    throw OciErrors.TooDeep(source.Location, place);
                var at = entries.Count;
                entries.Add(OciIndexEntry.Create(manifest, place, source.LayoutPath, source.Repository));
                if (depth >= levels || OciMediaType.KindOf(manifest.MediaType) is not (OciBlobKind.Index or OciBlobKind.Manifest) || !visited.Add(manifest.Digest)
                    || await OciDocument.TryReadAsync(source, manifest, cancellationToken).ConfigureAwait(false) is not { } document)
                    continue;
                entries[at] = entries[at] with { ArtifactType = entries[at].ArtifactType ?? document.ArtifactType, Subject = document.Subject?.Digest.ToString() ?? entries[at].Subject };
                if (document.Index is { } nested)
                    await AddAsync(Below(nested, place), depth + 1).ConfigureAwait(false);
            }
        }
    }
}
