using BuildKit.Oci.Editing;

namespace BuildKit.Oci.Copying;

/// <summary>Which part of an image is copied.</summary>
/// <param name="Platforms">Only these; empty for all.</param>
/// <param name="NoAttestation">Not what BuildKit attests.</param>
/// <param name="OnlyPresent">Only what the source has: an Engine lists the platforms, too, that it never pulled.</param>
internal sealed record OciCopySelection(IReadOnlyList<PlatformSpecifier> Platforms, bool NoAttestation, bool OnlyPresent)
{
    /// <summary>Chooses. What is left of an index is a new index, or where it is one manifest, that.</summary>
    /// <returns>The image to copy, its bytes where it is new, and what it runs on.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.OciPlatformNotFound</c>.</exception>
    public async Task<(OciDescriptor Root, byte[]? Content, IReadOnlyList<OciPlatform> Platforms)> ApplyAsync(
        OciContentSource source, OciDescriptor root, CancellationToken cancellationToken)
    {
        var manifests = await OciPlatformChoice.ManifestsAsync(source, root, cancellationToken).ConfigureAwait(false);
        var images = manifests.Where(manifest => !manifest.IsAttestation).ToList();
        foreach (var wanted in Platforms)
        {
            if (!images.Exists(image => Is(image, wanted)))
                throw OciErrors.PlatformNotFound(source.Location, wanted.ToString(), images.Where(image => image.Platform is not null).Select(image => image.Platform!.ToString()));
        }
        if (Platforms.Count == 0 && !NoAttestation && !OnlyPresent)
            return (root, null, PlatformsOf(images));

        var kept = new List<OciDescriptor>();
        foreach (var image in images.Where(image => Platforms.Count == 0 || Platforms.Any(wanted => Is(image, wanted))))
        {
            if (await IsPresentAsync(source, image, cancellationToken).ConfigureAwait(false))
                kept.Add(image);
        }
        var platforms = PlatformsOf(kept);
        var digests = kept.Select(image => image.Digest.ToString()).ToHashSet();
        foreach (var attestation in NoAttestation ? [] : manifests.Where(manifest => manifest.IsAttestation))
        {
            if (digests.Contains(attestation.Annotations.GetValueOrDefault(OciDescriptor.ReferenceDigestAnnotation) ?? "")
                && await IsPresentAsync(source, attestation, cancellationToken).ConfigureAwait(false))
                kept.Add(attestation);
        }
        if (kept.Count == 0)
            throw OciErrors.ImageNotFound(source.Location, root.Digest.ToString(), manifests);
        if (kept.Count == manifests.Count || OciMediaType.KindOf(root.MediaType) != OciBlobKind.Index)
            return (root, null, platforms);
        if (kept is [var only])
            return (Bare(only), null, platforms);

        // In the order, and with everything else, that the index had.
        var index = (await OciDocument.ReadAsync(source, root, cancellationToken).ConfigureAwait(false)).Index!;
        var keptDigests = kept.Select(manifest => manifest.Digest).ToHashSet();
        index.Replace(index.Manifests.Where(manifest => keptDigests.Contains(manifest.Digest)).ToList());
        var content = index.ToBytes();
        return (OciDescriptor.Create(root.MediaType, OciDigest.Of(content), content.Length), content, platforms);
    }

    private async Task<bool> IsPresentAsync(OciContentSource source, OciDescriptor manifest, CancellationToken cancellationToken) =>
        !OnlyPresent || await source.FindBlobAsync(manifest.Digest, cancellationToken).ConfigureAwait(false) is not null;

    private static List<OciPlatform> PlatformsOf(IEnumerable<OciDescriptor> images) =>
        images.Select(image => image.Platform).OfType<OciPlatform>().Where(platform => platform != OciPlatform.Unknown).Distinct().ToList();

    // What an index says of it is the index's.
    private static OciDescriptor Bare(OciDescriptor manifest) => OciDescriptor.Create(manifest.MediaType, manifest.Digest, manifest.Size);

    private static bool Is(OciDescriptor image, PlatformSpecifier wanted) => OciPlatformChoice.Is(image.Platform, wanted);
}
