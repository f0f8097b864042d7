namespace BuildKit.Oci.Editing;

/// <summary>Puts the images of an index into one that is listed in their place: an image for several platforms.</summary>
internal static class OciNestedIndex
{
    /// <exception cref="OciImagesDifferException">Two of them are for the same platform, so that nobody could choose between them.</exception>
    public static async Task<OciRepairChoice> CreateAsync(
        OciLayoutSource source, IReadOnlyList<OciImageGroup> groups, OciIndexRepairOptions options, CancellationToken cancellationToken)
    {
        var names = groups.SelectMany(group => group.Names).Distinct().ToList();
        var name = options.Reference is { } reference ? OciNames.Create(reference) : names.Count > 0 ? names[0] : (OciImageName?)null;
        // One index is one already.
        if (groups.Count == 1 && OciMediaType.KindOf(groups[0].First.MediaType) == OciBlobKind.Index)
            return new OciRepairChoice(groups[0].EntryOf(name), name, names, []);

        var manifests = new List<(OciDescriptor Manifest, OciImageGroup Group)>();
        var known = new HashSet<OciDigest>();
        foreach (var group in groups)
            foreach (var manifest in await OciPlatformChoice.ManifestsAsync(source, group.First, cancellationToken).ConfigureAwait(false))
                if (known.Add(manifest.Digest))
                    manifests.Add((manifest, group));
        var clash = manifests.Where(item => item.Manifest.Platform is { } platform && platform != OciPlatform.Unknown).GroupBy(item => item.Manifest.Platform!.ToString())
            .FirstOrDefault(same => same.Count() > 1);
        if (clash is not null)
            throw new OciImagesDifferException(
                source.Location, $"'{source.Location}' has {clash.Count()} different images for {clash.Key}, and in one index nobody could choose between them:",
                clash.Select(item => item.Group.ToEntry(source.Location) with { Digest = item.Manifest.Digest.ToString(), Platform = item.Manifest.Platform }).ToList(),
                "Choose one by -Reference.");

        var index = OciIndex.CreateEmpty();
        // The names belong to the whole.
        index.Replace(manifests.Select(item => item.Manifest.WithAnnotations(
            [new(OciDescriptor.ImageNameAnnotation, null), new(OciDescriptor.RefNameAnnotation, null), new(OciIndexEntry.OtherNamesAnnotation, null)])));
        var content = index.ToBytes();
        var descriptor = OciDescriptor.Create(OciMediaType.Index, OciDigest.Of(content), content.Length);
        return new OciRepairChoice(descriptor, name, names, [new OciNewBlob(descriptor, content)]);
    }
}
