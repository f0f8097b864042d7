namespace BuildKit.Oci.Images;

/// <summary>An image that an index leads to.</summary>
/// <param name="Manifest">The entry for it.</param>
/// <param name="Index">The index with that entry; null where it is the one of the layout.</param>
/// <param name="Names">The names that lead to it.</param>
internal sealed record FoundImage(OciDescriptor Manifest, OciImageIndex? Index, List<string> Names);

/// <summary>Finds what an index leads to, through indexes in it, without reading the manifests.</summary>
internal sealed class OciImageWalk
{
    private readonly OciContentSource _source;
    private readonly OciDigest? _digest;
    private readonly Dictionary<OciDigest, FoundImage> _found = [];
    private readonly List<FoundImage> _inOrder = [];
    private readonly List<OciDescriptor> _attestations = [];

    private OciImageWalk(OciContentSource source, OciDigest? digest)
    {
        _source = source;
        _digest = digest;
    }

    /// <summary>The images, each once, in the order of the entries.</summary>
    public IReadOnlyList<FoundImage> Images => _inOrder;

    /// <summary>The attestation manifests of images, by the images' digests.</summary>
    public ILookup<string, OciDescriptor> Attestations => _attestations.DistinctBy(manifest => manifest.Digest)
        .ToLookup(manifest => manifest.Annotations.GetValueOrDefault(OciDescriptor.ReferenceDigestAnnotation, ""));

    /// <summary>Entries that could not be followed, because what they lead to is not there.</summary>
    public List<BuildKitException> Missing { get; } = [];

    /// <summary>Finds images.</summary>
    /// <param name="source">Where.</param>
    /// <param name="roots">The entries to begin with.</param>
    /// <param name="digest">What of it is meant: an image, or an index with all that it lists; null for everything.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public static async Task<OciImageWalk> RunAsync(OciContentSource source, IEnumerable<OciDescriptor> roots, OciDigest? digest, CancellationToken cancellationToken)
    {
        var walk = new OciImageWalk(source, digest);
        foreach (var root in roots.GroupBy(root => root.Digest))
            await walk.AddAsync(root.First(), null, root.SelectMany(NamesOf).Distinct().ToList(), digest is null, [], 0, cancellationToken).ConfigureAwait(false);
        return walk;
    }

    /// <summary>The names of an entry, each as whole as it is known.</summary>
    public static IEnumerable<string> NamesOf(OciDescriptor entry) => OciIndexEntry.OtherNamesOf(entry).Prepend(entry.Name).OfType<string>();

    private async Task AddAsync(
        OciDescriptor entry, OciImageIndex? parent, List<string> names, bool isMeant, HashSet<(OciDigest Index, bool IsMeant)> visited, int depth, CancellationToken cancellationToken)
    {
        if (depth > OciDocument.MaxDepth)
            throw OciErrors.TooDeep(_source.Location, entry.Digest.ToString());
        isMeant |= entry.Digest == _digest;
        if (OciMediaType.KindOf(entry.MediaType) != OciBlobKind.Index)
        {
            if (entry.IsAttestation)
                _attestations.Add(entry);
            if (isMeant && (!entry.IsAttestation || entry.Digest == _digest))
                Add(entry, parent, names);
            return;
        }
        // What lies in several indexes is gone into once: of few blobs one could make endless ways.
        if (!visited.Add((entry.Digest, isMeant)))
            return;
        OciIndex index;
        try
        {
            index = (await OciDocument.ReadAsync(_source, entry, cancellationToken).ConfigureAwait(false)).Index!;
        }
        catch (BuildKitException e) when (OciErrors.IsMissing(e))
        {
            Missing.Add(e);
            return;
        }
        var platforms = index.Manifests.Select(manifest => manifest.Platform).OfType<OciPlatform>().Where(platform => platform != OciPlatform.Unknown).ToList();
        var itself = new OciImageIndex(entry.Digest.ToString(), entry.MediaType, entry.Size, platforms, index.Annotations);
        foreach (var manifest in index.Manifests)
            await AddAsync(manifest, itself, names, isMeant, visited, depth + 1, cancellationToken).ConfigureAwait(false);
    }

    private void Add(OciDescriptor manifest, OciImageIndex? parent, List<string> names)
    {
        if (!_found.TryGetValue(manifest.Digest, out var image))
        {
            _found[manifest.Digest] = image = new FoundImage(manifest, parent, []);
            _inOrder.Add(image);
        }
        image.Names.AddRange(names.Except(image.Names).ToList());
    }
}
