using BuildKit.Oci.Copying;
using BuildKit.Oci.Editing;
using BuildKit.Oci.Images;

namespace BuildKit.Oci.Merging;

/// <summary>An entry of the index that is made, and where what it points to is.</summary>
/// <param name="Entry">The entry, with its platform as far as that can be found out.</param>
/// <param name="Source">Where it is.</param>
internal sealed record OciMergeEntry(OciDescriptor Entry, OciContentSource Source);

/// <summary>What one of the places contributes.</summary>
/// <param name="Entries">The entries, in their order.</param>
/// <param name="Index">The one index that they are, where they are all of one.</param>
internal sealed record OciMergeSource(IReadOnlyList<OciMergeEntry> Entries, OciDescriptor? Index)
{
    // They say what an entry is in the layout that it comes from; the same image has others elsewhere.
    private static readonly KeyValuePair<string, string?>[] NoNames =
    [
        new(OciDescriptor.ImageNameAnnotation, null), new(OciDescriptor.RefNameAnnotation, null), new(OciIndexEntry.OtherNamesAnnotation, null),
        new("org.opencontainers.image.created", null),
    ];

    /// <summary>Reads what a place has: of an index what it lists, and everything in a layout where nothing is said of which image is meant.</summary>
    /// <exception cref="BuildKitException">It can't be read, or has no such image.</exception>
    public static async Task<OciMergeSource> ReadAsync(OciAddress address, OciContentSource source, CancellationToken cancellationToken)
    {
        var roots = await OciAddressSource.SelectAsync(address, source, cancellationToken).ConfigureAwait(false);
        if (roots.Count == 0)
            throw OciErrors.Empty(source.Location);
        if (OciAddressSource.DigestOf(address) is { } digest)
            roots = roots.Any(root => root.Digest == digest)
                ? roots.Where(root => root.Digest == digest).ToList()
                : await FindAsync(source, roots, digest, cancellationToken).ConfigureAwait(false);

        // Entries that differ only in their name are one image.
        roots = roots.DistinctBy(root => root.Digest).ToList();
        var entries = new List<OciMergeEntry>();
        foreach (var root in roots)
        {
            foreach (var entry in await OciPlatformChoice.ManifestsAsync(source, root.WithAnnotations(NoNames), cancellationToken).ConfigureAwait(false))
                entries.Add(new OciMergeEntry(entry, source));
        }
        return new OciMergeSource(entries, roots is [var only] && OciMediaType.KindOf(only.MediaType) == OciBlobKind.Index ? only : null);
    }

    // What is meant is listed by an index further down: its attestations are beside it.
    private static async Task<IReadOnlyList<OciDescriptor>> FindAsync(OciContentSource source, IReadOnlyList<OciDescriptor> roots, OciDigest digest, CancellationToken cancellationToken)
    {
        var walk = await OciImageWalk.RunAsync(source, roots, digest, cancellationToken).ConfigureAwait(false);
        return walk.Images.Count > 0
            ? walk.Images.SelectMany(image => walk.Attestations[image.Manifest.Digest.ToString()].Prepend(image.Manifest)).ToList()
            : throw OciErrors.ImageNotFound(source.Location, digest.ToString(), roots);
    }
}
