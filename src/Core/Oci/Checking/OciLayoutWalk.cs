using System.Text.Json;

namespace BuildKit.Oci.Checking;

/// <summary>Goes from the index of a layout to all that it leads to. Each blob is gone into once, however many ways lead to it.</summary>
internal sealed class OciLayoutWalk(OciLayoutSource source, OciFindings findings, bool fast)
{
    private readonly Dictionary<OciDigest, long> _found = [];
    private readonly Dictionary<OciDigest, Known?> _documents = [];
    private readonly HashSet<OciDigest> _unknown = [];
    private readonly HashSet<OciDigest> _others = [];
    private readonly HashSet<OciDigest> _above = [];
    private readonly List<(string Path, OciDescriptor Blob)> _leaves = [];

    /// <summary>The blobs that are there and that something refers to, with their sizes.</summary>
    public IReadOnlyDictionary<OciDigest, long> Found => _found;

    /// <summary>Those that point to nothing: what is still to be hashed, each once.</summary>
    public IReadOnlyList<(string Path, OciDescriptor Blob)> Leaves => _leaves;

    /// <summary>Whether everything could be read, so that what was not found is not referred to.</summary>
    public bool IsComplete { get; private set; } = true;

    public void Run(OciIndex index, CancellationToken cancellationToken) => VisitIndex(index, "index.json", 1, cancellationToken);

    private void VisitIndex(OciIndex index, string path, int depth, CancellationToken cancellationToken)
    {
        for (var i = 0; i < index.Manifests.Count; i++)
            Visit(index.Manifests[i], $"{path}/manifests[{i}]", depth, cancellationToken);
    }

    private void Visit(OciDescriptor blob, string path, int depth, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (blob.MediaType.Length == 0)
            findings.Add(OciFindingTable.MediaTypeMissing, path, blob.Digest, "The descriptor has no media type.");
        if (_above.Contains(blob.Digest))
        {
            findings.Add(OciFindingTable.Loop, path, blob.Digest, "This index leads to itself.");
            return;
        }
        if (!IsThere(blob, path))
            return;
        if (!IsDocument(blob))
        {
            VisitUnknown(blob, path);
            return;
        }
        // What lies below is the same for all that lead to it; what they say of it is not.
        var isFirst = !_documents.TryGetValue(blob.Digest, out var known);
        if (isFirst)
            known = _documents[blob.Digest] = ReadDocument(blob, path, depth);
        if (known is null)
            return;
        if (known.Document.MediaType is { } says && says != blob.MediaType)
            findings.Add(OciFindingTable.MediaTypeDiffers, path, blob.Digest, $"The descriptor says '{blob.MediaType}', and the document '{says}'.");
        else if (OciMediaType.KindOf(blob.MediaType) == OciBlobKind.Index ? known.Document.Manifest is not null : known.Document.Index is not null)
            findings.Add(OciFindingTable.MediaTypeDiffers, path, blob.Digest, $"The descriptor says '{blob.MediaType}', and the document has the fields of the other kind.");
        if (isFirst)
            VisitDocument(known, blob, path, depth, cancellationToken);
        if (known.Platform is { } has && blob.Platform is { } wanted && wanted != OciPlatform.Unknown && !IsSame(wanted, has))
            findings.Add(OciFindingTable.PlatformDiffers, path, blob.Digest, $"The index says {wanted}, and the image's configuration {has}.");
    }

    private Known? ReadDocument(OciDescriptor blob, string path, int depth)
    {
        if (depth <= OciDocument.MaxDepth && Read(blob, path) is { } bytes && Parse(bytes, blob, path) is { } document)
            return new Known(document);
        IsComplete = false;
        if (depth > OciDocument.MaxDepth)
            findings.Add(OciFindingTable.TooDeep, path, blob.Digest, $"More than {OciDocument.MaxDepth} indexes lie one in another here; what is below was not looked at.");
        return null;
    }

    private void VisitDocument(Known known, OciDescriptor blob, string path, int depth, CancellationToken cancellationToken)
    {
        var document = known.Document;
        if (document.Subject is { } subject && source.SizeOf(subject.Digest) is null)
            findings.Add(OciFindingTable.SubjectMissing, $"{path}/subject", subject.Digest, "What this manifest is about is not here.");
        if (document.Index is { } index)
        {
            _above.Add(blob.Digest);
            VisitIndex(index, path, depth + 1, cancellationToken);
            _above.Remove(blob.Digest);
        }
        if (document.Manifest is { } manifest)
            known.Platform = VisitManifest(manifest, blob, path);
    }

    /// <summary>Something in the place of a manifest that is none, as far as is known: whatever it names may be a part of it.</summary>
    private void VisitUnknown(OciDescriptor blob, string path)
    {
        if (blob.MediaType.Length > 0)
            findings.Add(OciFindingTable.MediaTypeUnknown, path, blob.Digest, $"'{blob.MediaType}' is the type of no index and no manifest.");
        if (!_unknown.Add(blob.Digest))
            return;
        if (blob.Size > OciDocument.MaxBytes)
            AddLeaf(blob, path);
        else if (Read(blob, path) is { } bytes)
            Keep(OciJson.DigestsIn(bytes));
        else
            IsComplete = false;
    }

    private void Keep(IEnumerable<OciDigest> digests)
    {
        foreach (var digest in digests)
            if (source.SizeOf(digest) is { } size)
                _found.TryAdd(digest, size);
    }

    // A configuration need not tell the variant that an index does.
    private static bool IsSame(OciPlatform wanted, OciPlatform has) => Normalize(wanted) == Normalize(has with { Variant = has.Variant ?? wanted.Variant });

    private static PlatformSpecifier Normalize(OciPlatform platform) => PlatformSpecifier.Normalize(platform.OS, platform.Architecture, platform.Variant ?? "");

    /// <returns>The platform that the configuration tells, or null.</returns>
    private OciPlatform? VisitManifest(OciManifest manifest, OciDescriptor described, string path)
    {
        OciPlatform? platform = null;
        var isImage = manifest.ArtifactType is null && manifest.Config is { } own && OciMediaType.KindOf(own.MediaType) == OciBlobKind.Config;
        if (manifest.Config is not { } config)
        {
            if (!OciMediaType.IsArtifactManifest(described.MediaType))
                findings.Add(OciFindingTable.ConfigMissing, path, described.Digest, "The manifest has no configuration.");
        }
        else if (IsThere(config, $"{path}/config"))
        {
            if (!isImage)
                AddLeaf(config, $"{path}/config");
            else if (Read(config, $"{path}/config") is { } bytes)
                platform = CheckConfig(bytes, manifest, described, config, path);
        }
        for (var i = 0; i < manifest.Layers.Count; i++)
        {
            var layer = manifest.Layers[i];
            var place = $"{path}/layers[{i}]";
            if (layer.MediaType.Length == 0)
                findings.Add(OciFindingTable.MediaTypeMissing, place, layer.Digest, "The descriptor has no media type.");
            // An artifact may consist of anything, and BuildKit's attestations look like an image of statements.
            else if (isImage && OciMediaType.KindOf(layer.MediaType) != OciBlobKind.Layer && layer.MediaType != OciMediaType.InToto)
                findings.Add(OciFindingTable.MediaTypeUnknown, place, layer.Digest, $"'{layer.MediaType}' is the type of no layer.");
            if (IsThere(layer, place))
                AddLeaf(layer, place);
        }
        return platform;
    }

    private OciPlatform? CheckConfig(byte[] bytes, OciManifest manifest, OciDescriptor described, OciDescriptor config, string path)
    {
        try
        {
            var members = OciJson.Members(bytes);
            var platform = OciPlatform.Parse(bytes);
            var rootfs = members.Find(member => member.Name == "rootfs");
            if (rootfs.Name is null || OciJson.Members(rootfs.Value).Find(member => member.Name == "diff_ids") is not { Name: not null } diffIds)
                return platform;
            var count = OciJson.Items(diffIds).Count;
            if (count != manifest.Layers.Count)
                findings.Add(OciFindingTable.LayerCount, path, described.Digest, $"The manifest has {manifest.Layers.Count} layers, and the configuration tells of {count}.");
            return platform;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            findings.Add(OciFindingTable.DocumentInvalid, $"{path}/config", config.Digest, $"The configuration can't be read: {e.Message}.");
            return null;
        }
    }

    private void AddLeaf(OciDescriptor blob, string path)
    {
        if (_others.Add(blob.Digest))
            _leaves.Add((path, blob));
    }

    /// <summary>Opens a blob, which shows whether it is there and has the size that the descriptor says.</summary>
    private bool IsThere(OciDescriptor blob, string path)
    {
        if (source.SizeOf(blob.Digest) is null)
        {
            IsComplete &= !IsDocument(blob);
            findings.Add(OciMediaType.IsForeignLayer(blob.MediaType) ? OciFindingTable.ForeignMissing : OciFindingTable.BlobMissing, path, blob.Digest, $"The blob {blob.Digest} is missing.");
            return false;
        }
        try
        {
            source.OpenContent(blob).Dispose();
            _found[blob.Digest] = blob.Size;
            return true;
        }
        catch (BuildKitException e)
        {
            // A blob of another size is referred to all the same.
            _found.TryAdd(blob.Digest, 0);
            var kind = e.ErrorId == "BuildKit.OciBlobInvalid" ? OciFindingTable.SizeWrong : OciFindingTable.KindOf(e, blob);
            IsComplete &= !IsDocument(blob);
            findings.Add(kind, path, blob.Digest, e.Message);
            return false;
        }
    }

    private static bool IsDocument(OciDescriptor blob) => OciMediaType.KindOf(blob.MediaType) is OciBlobKind.Index or OciBlobKind.Manifest;

    private byte[]? Read(OciDescriptor blob, string path)
    {
        if (blob.Size > OciDocument.MaxBytes)
        {
            findings.Add(OciFindingTable.DocumentInvalid, path, blob.Digest, $"It has {blob.Size} bytes, and at most {OciDocument.MaxBytes} are read of a document.");
            return null;
        }
        try
        {
            using var content = source.OpenContent(blob);
            using Stream stream = fast ? content : new OciVerifyingStream(content, blob, source.Location);
            var bytes = new byte[blob.Size];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is BuildKitException or IOException)
        {
            findings.Add(OciFindingTable.KindOf(e, blob), path, blob.Digest, e.Message);
        }
        return null;
    }

    private OciDocument? Parse(byte[] bytes, OciDescriptor blob, string path)
    {
        try
        {
            return OciDocument.ParseAny(bytes, blob.MediaType);
        }
        catch (FormatException e)
        {
            findings.Add(OciFindingTable.DocumentInvalid, path, blob.Digest, $"The {OciMediaType.KindOf(blob.MediaType).ToString().ToLowerInvariant()} can't be read: {e.Message}.");
            return null;
        }
    }

    /// <summary>What a document says itself.</summary>
    private sealed class Known(OciDocument document)
    {
        public OciDocument Document => document;

        /// <summary>What its configuration says that it runs on; null before that was read, and where there is none.</summary>
        public OciPlatform? Platform { get; set; }
    }
}
