using BuildKit.Oci.Copying;
using BuildKit.Oci.Editing;
using BuildKit.Registry;

namespace BuildKit.Oci.Merging;

/// <summary>Makes one index of several images, and puts it with all that it lists into registries and layouts (what <c>docker buildx imagetools create</c> does).</summary>
public static class OciIndexMerge
{
    /// <summary>Reads the sources and works out the index. Nothing is written.</summary>
    /// <param name="options">What to merge.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The plan, which writes it; the caller disposes it.</returns>
    /// <exception cref="OciImagesDifferException">Two images are for the same platform.</exception>
    /// <exception cref="BuildKitException">A source can't be read; <c>BuildKit.InvalidAnnotation</c>, <c>BuildKit.OciPlatformNotFound</c>, <c>BuildKit.InvalidDestination</c>.</exception>
    public static async Task<OciMergePlan> PlanAsync(OciMergeOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var destination in options.Destinations)
            OciMergeErrors.DemandDestination(destination);
        var annotations = options.Annotations.SelectMany(text => Annotation.Parse(text, "linux").Select(annotation => OciMergeErrors.DemandIndexAnnotation(annotation, text))).ToList();
        var registries = new RegistrySession(options.IsInsecure);
        var opened = new List<OciContentSource>();
        try
        {
            var sources = new List<OciMergeSource>();
            foreach (var address in options.Append ? options.Sources.Prepend(options.Destinations[0]) : options.Sources)
            {
                var source = await OciAddressSource.OpenAsync(address, registries, cancellationToken).ConfigureAwait(false);
                opened.Add(source);
                sources.Add(await OciMergeSource.ReadAsync(address, source, cancellationToken).ConfigureAwait(false));
            }
            var kept = Choose(sources.SelectMany(source => source.Entries).DistinctBy(entry => entry.Entry.Digest).ToList(), options);
            // As upstream: an index alone stays itself, byte for byte.
            var content = sources is [{ Index: { } index } only] && annotations.Count == 0 && kept.Count == only.Entries.Count
                ? await opened[0].ReadBlobAsync(index, OciDocument.MaxBytes, cancellationToken).ConfigureAwait(false)
                : null;
            var joined = IndexJoin.Join([Part(sources.SelectMany(source => source.Entries).Where(entry => kept.Exists(one => one.Entry.Digest == entry.Entry.Digest)))], annotations);
            var mediaType = content is null ? joined.MediaType : sources[0].Index!.MediaType;
            return new OciMergePlan(registries, opened, kept, OciDescriptor.Create(mediaType, OciDigest.Of(content ?? joined.Content), (content ?? joined.Content).Length), content ?? joined.Content, options)
            {
                Warnings = annotations.Count > 0 && joined.MediaType == OciMediaType.DockerManifestList
                    ? ["All images are of Docker's own format, whose manifest list has no annotations: those that were asked for are left out."]
                    : [],
            };
        }
        catch
        {
            foreach (var source in opened)
                await source.DisposeAsync().ConfigureAwait(false);
            registries.Dispose();
            throw;
        }
    }

    private static OciIndex Part(IEnumerable<OciMergeEntry> entries)
    {
        var index = OciIndex.CreateEmpty();
        index.Replace(entries.Select(entry => entry.Entry));
        return index;
    }

    private static List<OciMergeEntry> Choose(List<OciMergeEntry> entries, OciMergeOptions options)
    {
        var wanted = PlatformSpecifier.ParseMany(options.Platforms, "linux");
        var images = entries.Where(entry => !entry.Entry.IsAttestation).ToList();
        // What is for no platform, such as a signature, is for all of them.
        var chosen = images.Where(entry => wanted.Count == 0 || entry.Entry.Platform is null || wanted.Exists(one => OciPlatformChoice.Is(entry.Entry.Platform, one))).ToList();
        if (images.Count == 0)
            throw OciErrors.Empty(string.Join(", ", options.Sources));
        if (!chosen.Exists(entry => wanted.Count == 0 || entry.Entry.Platform is not null))
            throw OciErrors.PlatformNotFound(
                string.Join(", ", options.Sources), string.Join(", ", options.Platforms), images.Select(entry => entry.Entry.Platform).OfType<OciPlatform>().Select(platform => platform.ToString()));
        var dropped = chosen.Where(IsImage).GroupBy(entry => (Normalize(entry.Entry.Platform!), entry.Entry.Platform!.OSVersion)).Where(group => group.Count() > 1).SelectMany(group => options.Duplicate switch
        {
            OciMergeDuplicate.First => group.Skip(1),
            OciMergeDuplicate.Last => group.SkipLast(1),
            _ => throw OciMergeErrors.SamePlatform(group.ToList(), group.First().Entry.Platform!),
        }).ToHashSet();
        var digests = chosen.Except(dropped).Select(entry => entry.Entry.Digest).ToHashSet();
        return entries.Where(entry => entry.Entry.IsAttestation ? IsAbout(entry.Entry, digests, images) : digests.Contains(entry.Entry.Digest)).ToList();
    }

    private static bool IsImage(OciMergeEntry entry) =>
        OciMediaType.KindOf(entry.Entry.MediaType) == OciBlobKind.Manifest && entry.Entry is { ArtifactType: null, Platform: { } platform } && platform != OciPlatform.Unknown;

    // An attestation of an image that is in none of the sources stays, as upstream leaves it.
    private static bool IsAbout(OciDescriptor attestation, HashSet<OciDigest> kept, List<OciMergeEntry> images) =>
        !OciDigest.TryParse(attestation.Annotations.GetValueOrDefault(OciDescriptor.ReferenceDigestAnnotation), out var about)
        || kept.Contains(about) || !images.Exists(image => image.Entry.Digest == about);

    private static PlatformSpecifier Normalize(OciPlatform platform) => PlatformSpecifier.Normalize(platform.OS, platform.Architecture, platform.Variant ?? "");
}
