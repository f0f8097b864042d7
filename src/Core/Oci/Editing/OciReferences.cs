namespace BuildKit.Oci.Editing;

/// <summary>Gives names to the images of a layout, and takes them: an image is built once and named later. Blobs are left alone.</summary>
public static class OciReferences
{
    /// <summary>Gives a name to an image; it keeps those that it has. An entry without a name gets it, or else the index gets a further entry.</summary>
    /// <param name="path">The layout: a directory, an archive or an index file.</param>
    /// <param name="options">The name and the image.</param>
    /// <param name="cancellationToken">Ends it; the layout stays as it was.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="OciImagesDifferException">There are several images, and the options do not say which.</exception>
    /// <exception cref="BuildKitException"><c>BuildKit.OciReferenceExists</c>, <c>BuildKit.OciImageNotFound</c>, <c>BuildKit.InvalidTag</c>, or the layout can't be read or written.</exception>
    public static Task<OciReferenceResult> SetAsync(string path, OciReferenceOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var name = OciNames.Create(options.Reference);
        return Run(path, (source, index, token) => SetAsync(source, index, name, options, token), cancellationToken);
    }

    /// <summary>Takes a name from an image.</summary>
    /// <param name="path">The layout: a directory, an archive or an index file.</param>
    /// <param name="reference">The name, or the digest of an image to take all of its names.</param>
    /// <param name="removeEntry">Whether an image that has no name then is not listed any more; its blobs stay. Otherwise it stays, without a name.</param>
    /// <param name="cancellationToken">Ends it; the layout stays as it was.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="OciImagesDifferException">Several images have that short name.</exception>
    /// <exception cref="BuildKitException"><c>BuildKit.OciImageNotFound</c>, or the layout can't be read or written.</exception>
    public static Task<OciReferenceResult> RemoveAsync(string path, string reference, bool removeEntry, CancellationToken cancellationToken) =>
        Run(path, (source, index, _) => Task.FromResult(Remove(source, index, reference, removeEntry)), cancellationToken);

    private static Task<OciReferenceResult> Run(
        string path, Func<OciLayoutSource, OciIndex, CancellationToken, Task<OciIndexEdit<OciReferenceResult>>> decide, CancellationToken cancellationToken) =>
        new OciIndexEditor<OciReferenceResult>(path, backup: false, decide).RunAsync(cancellationToken);

    private static async Task<OciIndexEdit<OciReferenceResult>> SetAsync(
        OciLayoutSource source, OciIndex index, OciImageName name, OciReferenceOptions options, CancellationToken cancellationToken)
    {
        var image = await FindAsync(source, index, options.From, cancellationToken).ConfigureAwait(false);
        var isSame = index.Manifests.Any(entry => entry.Digest == image.Digest && Clashes(entry, name));
        var owners = index.Manifests.Where(entry => entry.Digest != image.Digest && Clashes(entry, name)).ToList();
        if (owners.Count > 0 && !options.Force)
            throw OciErrors.ReferenceExists(source.Location, options.Reference, owners[0].Digest);

        var manifests = index.Manifests.ToList();
        foreach (var owner in owners)
            Take(manifests, owner.Digest, [NameOf(owner)], removeEntry: false);
        manifests = manifests.Select(entry => WithoutOtherName(entry, OciNames.Show(name))).ToList();
        if (!isSame)
        {
            var nameless = manifests.FindIndex(entry => entry.Digest == image.Digest && entry.Name is null);
            if (nameless >= 0)
                manifests[nameless] = manifests[nameless].With(name.ImageName, name.RefName);
            else
                manifests.Add(image.WithAnnotations(
                    [new(OciDescriptor.ImageNameAnnotation, name.ImageName), new(OciDescriptor.RefNameAnnotation, name.RefName), new(OciIndexEntry.OtherNamesAnnotation, null)]));
        }
        return Edit(source, index, manifests, OciNames.Show(name), image.Digest, owners.Count == 0 ? null : owners[0].Digest);
    }

    private static OciIndexEdit<OciReferenceResult> Remove(OciLayoutSource source, OciIndex index, string reference, bool removeEntry)
    {
        var found = Choose(source, index, reference);
        var digest = found.First.Digest;
        var names = OciDigest.TryParse(reference, out _) ? found.Names.ToHashSet() : [OciImageGroup.Find([found], reference)[0].Name!.Value];
        var manifests = index.Manifests.ToList();
        Take(manifests, digest, names, removeEntry);
        return Edit(source, index, manifests, string.Join(',', names.Select(OciNames.Show)), digest, null);
    }

    /// <summary>Takes names from an image. Entries that lost theirs go; where none is left that has one, the first stays.</summary>
    private static void Take(List<OciDescriptor> manifests, OciDigest digest, HashSet<OciImageName> names, bool removeEntry)
    {
        for (var i = 0; i < manifests.Count; i++)
            if (manifests[i].Digest == digest)
                manifests[i] = Without(manifests[i], names);
        var last = removeEntry || manifests.Exists(entry => entry.Digest == digest && entry.Name is not null) ? null : manifests.Find(entry => entry.Digest == digest);
        manifests.RemoveAll(entry => entry.Digest == digest && entry.Name is null && entry != last);
    }

    private static OciIndexEdit<OciReferenceResult> Edit(
        OciLayoutSource source, OciIndex index, List<OciDescriptor> manifests, string name, OciDigest digest, OciDigest? previous)
    {
        var isSame = manifests.Count == index.Manifests.Count && manifests.Zip(index.Manifests).All(pair => pair.First.Json.Span.SequenceEqual(pair.Second.Json.Span));
        var result = new OciReferenceResult
        {
            Layout = source.Location,
            Reference = name,
            Digest = digest.ToString(),
            Changed = !isSame,
            PreviousDigest = previous?.ToString(),
            Names = OciImageGroup.Create(manifests).Where(group => group.First.Digest == digest).SelectMany(group => group.Names).Select(OciNames.Show).Distinct().ToList(),
        };
        return new OciIndexEdit<OciReferenceResult>(isSame ? null : manifests, [], result);
    }

    /// <summary>The entry of the image that is meant, or a descriptor of a manifest that no entry is for.</summary>
    private static async Task<OciDescriptor> FindAsync(OciLayoutSource source, OciIndex index, string? from, CancellationToken cancellationToken)
    {
        if (OciDigest.TryParse(from, out var digest) && !index.Manifests.Any(entry => entry.Digest == digest) && await source.FindBlobAsync(digest, cancellationToken).ConfigureAwait(false) is { } size)
        {
            // What it says it is shows only in itself.
            var blob = OciDescriptor.Create("", digest, size);
            var mediaType = (await OciDocument.ReadAsync(source, blob, cancellationToken).ConfigureAwait(false)).MediaType;
            if (mediaType is not null && OciMediaType.KindOf(mediaType) is OciBlobKind.Index or OciBlobKind.Manifest)
                return OciDescriptor.Create(mediaType, digest, size);
            throw OciErrors.BlobInvalid(source.Location, blob, "it is neither an index nor a manifest, so that it can't have a name");
        }
        return Choose(source, index, from).First;
    }

    private static OciImageGroup Choose(OciLayoutSource source, OciIndex index, string? reference)
    {
        if (index.Manifests.Count == 0)
            throw OciErrors.Empty(source.Location);
        var groups = OciImageGroup.Create(index.Manifests);
        return OciImageGroup.Choose(source.Location, groups, reference, "Say which one by its whole name or its digest.").Group;
    }

    private static OciImageName NameOf(OciDescriptor entry) => new(entry.ImageName, entry.RefName ?? "");

    // A tag alone is found at every entry that has it as its short name (moby/buildkit client/ociindex).
    private static bool Clashes(OciDescriptor entry, OciImageName name) => name.ImageName is null
        ? entry.RefName == name.RefName
        : entry.ImageName == name.ImageName;

    /// <summary>An entry without names; of those that were kept aside, the first takes the place of one that was its own.</summary>
    private static OciDescriptor Without(OciDescriptor entry, HashSet<OciImageName> names)
    {
        var rest = names.Aggregate(entry, (current, name) => WithoutOtherName(current, OciNames.Show(name)));
        if (!names.Contains(NameOf(entry)))
            return rest;
        if (OciIndexEntry.OtherNamesOf(rest) is not [var first, ..])
            return rest.With(null, null);
        var next = OciNames.Read(first);
        return WithoutOtherName(rest, first).With(next.ImageName, next.RefName);
    }

    private static OciDescriptor WithoutOtherName(OciDescriptor entry, string name)
    {
        var others = OciIndexEntry.OtherNamesOf(entry);
        return others.Remove(name) ? entry.WithAnnotations([new(OciIndexEntry.OtherNamesAnnotation, others.Count == 0 ? null : string.Join(',', others))]) : entry;
    }
}
