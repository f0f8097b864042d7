using System.Text.Json;

namespace BuildKit.Oci.Checking;

/// <summary>Goes from the index of a layout to all that it leads to. Each blob is gone into once, however many ways lead to it.</summary>
internal sealed class OciLayoutWalk(OciLayoutSource source, OciFindings findings, bool fast)
{
    private readonly Dictionary<OciDigest, long> _found = [];
    private readonly HashSet<OciDigest> _documents = [];
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
        if (!IsThere(blob, path) || IsDocument(blob) && !_documents.Add(blob.Digest))
            return;
        if (!IsDocument(blob))
        {
            if (blob.MediaType.Length > 0)
                findings.Add(OciFindingTable.MediaTypeUnknown, path, blob.Digest, $"'{blob.MediaType}' is the type of no index and no manifest.");
            AddLeaf(blob, path);
            return;
        }
        if (depth > OciDocument.MaxDepth)
        {
            IsComplete = false;
            findings.Add(OciFindingTable.TooDeep, path, blob.Digest, $"More than {OciDocument.MaxDepth} indexes lie one in another here; what is below was not looked at.");
            return;
        }
        if (Read(blob, path) is not { } bytes || Parse(bytes, blob, path) is not { } document)
        {
            IsComplete = false;
            return;
        }
        if (document.MediaType is { } says && says != blob.MediaType)
            findings.Add(OciFindingTable.MediaTypeDiffers, path, blob.Digest, $"The descriptor says '{blob.MediaType}', and the document '{says}'.");
        if (document.Subject is { } subject && source.SizeOf(subject.Digest) is null)
            findings.Add(OciFindingTable.SubjectMissing, $"{path}/subject", subject.Digest, "What this manifest is about is not here.");
        if (document.Index is { } index)
        {
            _above.Add(blob.Digest);
            VisitIndex(index, path, depth + 1, cancellationToken);
            _above.Remove(blob.Digest);
        }
        else
        {
            VisitManifest(document.Manifest!, blob, path);
        }
    }

    private void VisitManifest(OciManifest manifest, OciDescriptor described, string path)
    {
        var isImage = manifest.ArtifactType is null && manifest.Config is { } own && OciMediaType.KindOf(own.MediaType) == OciBlobKind.Config;
        if (manifest.Config is not { } config)
            findings.Add(OciFindingTable.ConfigMissing, path, described.Digest, "The manifest has no configuration.");
        else if (IsThere(config, $"{path}/config"))
        {
            if (!isImage)
                AddLeaf(config, $"{path}/config");
            else if (Read(config, $"{path}/config") is { } bytes)
                CheckConfig(bytes, manifest, described, config, path);
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
    }

    private void CheckConfig(byte[] bytes, OciManifest manifest, OciDescriptor described, OciDescriptor config, string path)
    {
        try
        {
            var members = OciJson.Members(bytes);
            var platform = OciPlatform.Parse(bytes);
            if (described.Platform is { } says && says != OciPlatform.Unknown && platform is not null && (says.OS, says.Architecture) != (platform.OS, platform.Architecture))
                findings.Add(OciFindingTable.PlatformDiffers, path, described.Digest, $"The index says {says}, and the image's configuration {platform}.");
            var rootfs = members.Find(member => member.Name == "rootfs");
            if (rootfs.Name is null || OciJson.Members(rootfs.Value).Find(member => member.Name == "diff_ids") is not { Name: not null } diffIds)
                return;
            var count = OciJson.Items(diffIds).Count;
            if (count != manifest.Layers.Count)
                findings.Add(OciFindingTable.LayerCount, path, described.Digest, $"The manifest has {manifest.Layers.Count} layers, and the configuration tells of {count}.");
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            findings.Add(OciFindingTable.DocumentInvalid, $"{path}/config", config.Digest, $"The configuration can't be read: {e.Message}.");
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
            return OciDocument.Parse(bytes, blob.MediaType);
        }
        catch (FormatException e)
        {
            findings.Add(OciFindingTable.DocumentInvalid, path, blob.Digest, $"The {OciMediaType.KindOf(blob.MediaType).ToString().ToLowerInvariant()} can't be read: {e.Message}.");
            return null;
        }
    }
}
