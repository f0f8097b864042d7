namespace BuildKit.Oci.Editing;

/// <summary>
/// Makes one entry of the index of a layout, which is what <c>crane push</c> and <c>skopeo copy oci:…</c> accept (docs/oci-layouts.md). Entries for the same image
/// become one; different images are refused unless the options decide. Blobs are left alone.
/// </summary>
public sealed class OciIndexRepair
{
    private readonly OciIndexEditor<OciIndexRepairResult> _editor;

    /// <summary>Prepares the repair of a layout.</summary>
    /// <param name="path">The layout: a directory, an archive or an index file.</param>
    /// <param name="options">How.</param>
    public OciIndexRepair(string path, OciIndexRepairOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _editor = new(path, options.Backup, (source, index, cancellationToken) => DecideAsync(source, index, options, cancellationToken));
    }

    /// <summary>Finds out what <see cref="RunAsync"/> would do.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>What would be done.</returns>
    /// <exception cref="BuildKitException">As <see cref="RunAsync"/>.</exception>
    public Task<OciIndexRepairResult> PlanAsync(CancellationToken cancellationToken) => _editor.PlanAsync(cancellationToken);

    /// <summary>Repairs the layout. Where nothing is wrong, nothing is written. Whatever happens, the old index or the new one is there.</summary>
    /// <param name="cancellationToken">Ends it; the layout stays as it was.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="OciImagesDifferException">There are several images, and the options do not decide.</exception>
    /// <exception cref="BuildKitException"><c>BuildKit.OciImageNotFound</c>, <c>BuildKit.OciPlatformNotFound</c>, <c>BuildKit.OciLayoutLocked</c>, or the layout can't be read or written.</exception>
    public async Task<OciIndexRepairResult> RunAsync(CancellationToken cancellationToken) =>
        await _editor.RunAsync(cancellationToken).ConfigureAwait(false) with { Backup = _editor.BackupPath };

    private static async Task<OciIndexEdit<OciIndexRepairResult>> DecideAsync(
        OciLayoutSource source, OciIndex index, OciIndexRepairOptions options, CancellationToken cancellationToken)
    {
        if (index.Manifests.Count == 0)
            throw OciErrors.Empty(source.Location);
        var groups = OciImageGroup.Create(index.Manifests);
        var allNames = groups.SelectMany(group => group.Names).Distinct().ToList();
        var choice = options.AsNestedIndex
            ? await OciNestedIndex.CreateAsync(source, groups, options, cancellationToken).ConfigureAwait(false)
            : await ChooseAsync(source, groups, options, cancellationToken).ConfigureAwait(false);

        var kept = choice.Name is { } given ? OciNames.Show(given) : null;
        var others = options.DropNames ? [] : choice.Names.Select(OciNames.Show).Where(name => name != kept).Distinct().ToList();
        var entry = Write(choice.Entry, choice.Name, others);
        var isSame = index.Manifests.Count == 1 && index.Manifests[0].Json.Span.SequenceEqual(entry.Json.Span) && HasVersionFile(source);
        var result = new OciIndexRepairResult
        {
            Layout = source.Location,
            Changed = !isSame,
            Digest = entry.Digest.ToString(),
            MediaType = entry.MediaType,
            Name = kept,
            OtherNames = others,
            RemovedNames = allNames.Select(OciNames.Show).Except(others).Where(name => name != kept).ToList(),
            RemovedDigests = options.AsNestedIndex
                ? new List<string>()
                : groups.Select(group => group.First.Digest).Where(digest => digest != entry.Digest).Select(digest => digest.ToString()).Distinct().ToList(),
            EntriesBefore = index.Manifests.Count,
            EntriesAfter = 1,
        };
        return new OciIndexEdit<OciIndexRepairResult>(isSame ? null : [entry], choice.Blobs, result);
    }

    private static async Task<OciRepairChoice> ChooseAsync(
        OciLayoutSource source, IReadOnlyList<OciImageGroup> groups, OciIndexRepairOptions options, CancellationToken cancellationToken)
    {
        if (options.Platform is not null)
        {
            var found = OciImageGroup.FindAll(source.Location, groups, options.Reference);
            return await OciPlatformChoice.ChooseAsync(source, found, options.Platform, cancellationToken).ConfigureAwait(false);
        }
        var (group, name) = OciImageGroup.Choose(source.Location, groups, options.Reference, options.Reference is null
            ? "Choose one by -Reference or -Platform, or keep them all in one image for several platforms by -AsNestedIndex."
            : "Choose one by its whole name or its digest.");
        return new OciRepairChoice(group.EntryOf(name), name, group.Names, []);
    }

    /// <summary>The entry with its name and the others; as it is where it has them already.</summary>
    private static OciDescriptor Write(OciDescriptor entry, OciImageName? name, List<string> others)
    {
        var otherNames = others.Count == 0 ? null : string.Join(',', others);
        var refName = name?.RefName is { Length: > 0 } text ? text : null;
        return entry.ImageName == name?.ImageName && entry.RefName == refName && entry.Annotations.GetValueOrDefault(OciIndexEntry.OtherNamesAnnotation) == otherNames
            ? entry
            : entry.WithAnnotations(
            [
                new(OciDescriptor.ImageNameAnnotation, name?.ImageName), new(OciDescriptor.RefNameAnnotation, refName), new(OciIndexEntry.OtherNamesAnnotation, otherNames),
            ]);
    }

    // umoci opens no directory without it.
    private static bool HasVersionFile(OciLayoutSource source) => source is OciDirectorySource { Layout.IsIndexAlone: true } || source.ReadVersionFile() is not null;
}

/// <summary>What a repair decided for.</summary>
/// <param name="Entry">The entry that stays.</param>
/// <param name="Name">Its name, or null where it has none.</param>
/// <param name="Names">All names of the image.</param>
/// <param name="Blobs">Blobs that have to be added for it.</param>
internal sealed record OciRepairChoice(OciDescriptor Entry, OciImageName? Name, IReadOnlyList<OciImageName> Names, IReadOnlyList<OciNewBlob> Blobs);
