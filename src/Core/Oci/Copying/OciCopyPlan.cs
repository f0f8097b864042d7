namespace BuildKit.Oci.Copying;

/// <summary>What a copy consists of.</summary>
internal sealed class OciCopyPlan
{
    private readonly OciContentSource _source;
    private readonly HashSet<OciDigest> _known = [];
    private readonly List<(OciDescriptor Manifest, byte[] Content)> _manifests = [];
    private readonly List<OciDescriptor> _blobs = [];
    private readonly List<OciDescriptor> _referrers = [];

    private OciCopyPlan(OciContentSource source, OciDescriptor root, OciImageName? name)
    {
        _source = source;
        Root = root;
        Name = name;
    }

    /// <summary>The manifest or index that is the image.</summary>
    public OciDescriptor Root { get; private set; }

    /// <summary>The name that it is to have in a layout or archive, or null.</summary>
    public OciImageName? Name { get; }

    /// <summary>All manifests and indexes, those that others refer to before them; the last is <see cref="Root"/>.</summary>
    public IReadOnlyList<(OciDescriptor Manifest, byte[] Content)> Manifests => _manifests;

    /// <summary>All other blobs, each once.</summary>
    public IReadOnlyList<OciDescriptor> Blobs => _blobs;

    /// <summary>What refers to the image and its manifests.</summary>
    public IReadOnlyList<OciDescriptor> Referrers => _referrers;

    /// <summary>What the image runs on.</summary>
    public IReadOnlyList<OciPlatform> Platforms { get; private set; } = [];

    /// <summary>Finds out what to copy.</summary>
    /// <param name="source">Where the image is.</param>
    /// <param name="root">The image there.</param>
    /// <param name="name">The name that it is to have, or null.</param>
    /// <param name="selection">What of it is wanted.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public static async Task<OciCopyPlan> CreateAsync(
        OciContentSource source, OciDescriptor root, OciImageName? name, OciCopySelection selection, CancellationToken cancellationToken)
    {
        root = await WithTypeAsync(source, root, cancellationToken).ConfigureAwait(false) ?? throw OciErrors.BlobInvalid(
            source.Location, root, "neither what lists it nor it itself says that it is an index or a manifest");
        var plan = new OciCopyPlan(source, root, name);
        var choice = await selection.ApplyAsync(source, root, cancellationToken).ConfigureAwait(false);
        (plan.Root, plan.Platforms) = (choice.Root, choice.Platforms);
        await plan.AddManifestAsync(choice.Root, choice.Content, 0, cancellationToken).ConfigureAwait(false);
        return plan;
    }

    /// <summary>Adds what has the image, or a manifest of it, for its subject; and what has those.</summary>
    public async Task AddReferrersAsync(CancellationToken cancellationToken)
    {
        var subjects = new Queue<OciDigest>(_manifests.Select(manifest => manifest.Manifest.Digest));
        while (subjects.TryDequeue(out var subject))
        {
            foreach (var referrer in await _source.FindReferrersAsync(subject, cancellationToken).ConfigureAwait(false))
            {
                if (_known.Contains(referrer.Digest))
                    continue;
                var root = _manifests[^1];
                _manifests.RemoveAt(_manifests.Count - 1);
                await AddManifestAsync(referrer, null, 0, cancellationToken).ConfigureAwait(false);
                _manifests.Add(root);
                _referrers.Add(referrer);
                subjects.Enqueue(referrer.Digest);
            }
        }
    }

    /// <summary>Lists the image in the index of a layout, by one name at most: others that a repair kept are those of the place where it did.</summary>
    public void AddTo(OciIndex index)
    {
        var root = Root.WithAnnotations([new(OciIndexEntry.OtherNamesAnnotation, null)]);
        if (Name is { } name)
            index.Put(root, name);
        else if (!index.Manifests.Any(entry => entry.Digest == root.Digest))
            index.Replace([.. index.Manifests, root.With(null, null)]);
        var missing = _referrers.Where(referrer => !index.Manifests.Any(entry => entry.Digest == referrer.Digest)).ToList();
        if (missing.Count > 0)
            index.Replace([.. index.Manifests, .. missing]);
    }

    private async Task AddManifestAsync(OciDescriptor manifest, byte[]? content, int depth, CancellationToken cancellationToken)
    {
        if (!_known.Add(manifest.Digest))
            return;
        if (depth > OciDocument.MaxDepth)
            throw OciErrors.TooDeep(_source.Location, manifest.Digest.ToString());
        content ??= await _source.ReadBlobAsync(manifest, OciDocument.MaxBytes, cancellationToken).ConfigureAwait(false);
        var document = Parse(manifest, content);
        foreach (var (_, blob) in document.References)
        {
            // What an index lists is a manifest as a rule, also where it does not say so; what a manifest lists is none then.
            var below = document.Index is null && blob.MediaType.Length == 0 ? null : await WithTypeAsync(_source, blob, cancellationToken).ConfigureAwait(false);
            if (below is not null)
                await AddManifestAsync(below, null, depth + 1, cancellationToken).ConfigureAwait(false);
            else if (_known.Add(blob.Digest) && !await IsElsewhereAsync(blob, cancellationToken).ConfigureAwait(false))
                _blobs.Add(blob);
        }
        _manifests.Add((manifest, content));
    }

    /// <summary>A descriptor that says which kind of manifest it is for; null where nothing tells.</summary>
    private static async Task<OciDescriptor?> WithTypeAsync(OciContentSource source, OciDescriptor blob, CancellationToken cancellationToken)
    {
        if (OciMediaType.KindOf(blob.MediaType) is OciBlobKind.Index or OciBlobKind.Manifest)
            return blob;
        if (blob.MediaType.Length > 0)
            return null;
        var mediaType = (await OciDocument.ReadAsync(source, blob, cancellationToken).ConfigureAwait(false)).MediaType;
        return mediaType is not null && OciMediaType.KindOf(mediaType) is OciBlobKind.Index or OciBlobKind.Manifest ? blob.WithMediaType(mediaType) : null;
    }

    // Layers that may not be passed on are fetched from where their URLs lead.
    private async Task<bool> IsElsewhereAsync(OciDescriptor blob, CancellationToken cancellationToken) =>
        OciMediaType.IsForeignLayer(blob.MediaType) && await _source.FindBlobAsync(blob.Digest, cancellationToken).ConfigureAwait(false) is null;

    private OciDocument Parse(OciDescriptor manifest, byte[] content)
    {
        try
        {
            return OciDocument.Parse(content, manifest.MediaType);
        }
        catch (FormatException e)
        {
            throw OciErrors.BlobInvalid(_source.Location, manifest, e.Message);
        }
    }
}
