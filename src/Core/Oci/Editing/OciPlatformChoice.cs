namespace BuildKit.Oci.Editing;

/// <summary>Finds images by their platform.</summary>
internal static class OciPlatformChoice
{
    /// <summary>The one image for a platform, among images and what indexes list.</summary>
    public static async Task<OciRepairChoice> ChooseAsync(
        OciLayoutSource source, IReadOnlyList<(OciImageGroup Group, OciImageName? Name)> groups, string platform, CancellationToken cancellationToken)
    {
        var wanted = PlatformSpecifier.Parse(platform, "linux");
        var found = new List<(OciDescriptor Manifest, OciImageGroup Group, OciImageName? Name)>();
        var known = new HashSet<OciDigest>();
        var seen = new HashSet<string>();
        foreach (var (group, name) in groups)
        {
            foreach (var manifest in await ManifestsAsync(source, group.EntryOf(name), cancellationToken).ConfigureAwait(false))
            {
                if (manifest.Platform is not { } has || has == OciPlatform.Unknown)
                    continue;
                seen.Add(has.ToString());
                if (Normalize(has) == wanted && known.Add(manifest.Digest))
                    found.Add((manifest, group, name));
            }
        }
        if (found.Count == 0)
            throw OciErrors.PlatformNotFound(source.Location, wanted.ToString(), seen);
        if (found.Count > 1)
            throw new OciImagesDifferException(
                source.Location, $"'{source.Location}' has {found.Count} different images for {wanted}, and which of them is meant can't be told:",
                found.Select(choice => choice.Group.ToEntry(source.Location) with { Digest = choice.Manifest.Digest.ToString(), Platform = choice.Manifest.Platform }).ToList(),
                "Choose one by -Reference, too.");
        var (entry, chosen, chosenName) = found[0];
        return new OciRepairChoice(entry, chosenName, chosen.Names, []);
    }

    /// <summary>The images that an entry stands for, with their platforms as far as they can be found out: itself, or what the index lists that it is. Attestations are among them.</summary>
    public static async Task<IReadOnlyList<OciDescriptor>> ManifestsAsync(OciContentSource source, OciDescriptor entry, CancellationToken cancellationToken)
    {
        if (OciMediaType.KindOf(entry.MediaType) != OciBlobKind.Index)
            return [await WithPlatformAsync(source, entry, cancellationToken).ConfigureAwait(false)];
        var index = (await OciDocument.ReadAsync(source, entry, cancellationToken).ConfigureAwait(false)).Index!;
        var manifests = new List<OciDescriptor>();
        foreach (var manifest in index.Manifests)
            manifests.Add(await WithPlatformAsync(source, manifest, cancellationToken).ConfigureAwait(false));
        return manifests;
    }

    /// <summary>Whether an image is for a platform.</summary>
    public static bool Is(OciPlatform? platform, PlatformSpecifier wanted) => platform is not null && platform != OciPlatform.Unknown && Normalize(platform) == wanted;

    private static PlatformSpecifier? Normalize(OciPlatform platform)
    {
        try
        {
            return PlatformSpecifier.Parse(platform.ToString(), "linux");
        }
        catch (BuildKitException)
        {
            return null;
        }
    }

    /// <summary>The descriptor, with the platform that the image's configuration tells where it has none.</summary>
    private static async Task<OciDescriptor> WithPlatformAsync(OciContentSource source, OciDescriptor manifest, CancellationToken cancellationToken)
    {
        if (manifest.Platform is not null || OciMediaType.KindOf(manifest.MediaType) != OciBlobKind.Manifest
            || await OciDocument.TryReadAsync(source, manifest, cancellationToken).ConfigureAwait(false) is not { } document)
            return manifest;
        var config = document.Manifest!.Config;
        if (config is null || OciMediaType.KindOf(config.MediaType) != OciBlobKind.Config)
            return manifest;
        var bytes = await source.ReadBlobAsync(config, OciDocument.MaxBytes, cancellationToken).ConfigureAwait(false);
        try
        {
            return OciPlatform.Parse(bytes) is { } platform ? manifest.WithPlatform(platform) : manifest;
        }
        catch (FormatException e)
        {
            throw OciErrors.BlobInvalid(source.Location, config, e.Message);
        }
    }
}
