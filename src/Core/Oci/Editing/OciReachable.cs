using BuildKit.Oci.Checking;

namespace BuildKit.Oci.Editing;

/// <summary>
/// What must stay in a layout: all that the index leads to; and, what no way from the index leads to, manifests that something kept is about, and those that are about something kept
/// (<c>subject</c>). A descriptor whose type is missing or unknown may stand for a manifest all the same.
/// </summary>
internal sealed class OciReachable
{
    private readonly OciDirectorySource _source;
    private readonly OciLayoutWalk _walk;
    private readonly Dictionary<OciDigest, (OciDescriptor Blob, OciDigest? Subject)> _documents = [];
    private readonly HashSet<OciDigest> _walked = [];

    /// <param name="source">The layout.</param>
    /// <param name="findings">Is told what is wrong.</param>
    public OciReachable(OciDirectorySource source, OciFindings findings)
    {
        _source = source;
        _walk = new OciLayoutWalk(source, findings, fast: false);
    }

    /// <summary>Whether everything could be read, so that nothing else is needed.</summary>
    public bool IsComplete => _walk.IsComplete;

    public bool Contains(OciDigest digest) => _walk.Found.ContainsKey(digest);

    /// <summary>Finds it.</summary>
    public void Run(OciIndex index, CancellationToken cancellationToken)
    {
        _walk.Run(index, cancellationToken);
        ReadDocuments(cancellationToken);
        while (Next() is { Count: > 0 } more)
        {
            var further = OciIndex.CreateEmpty();
            further.Replace(more);
            _walk.Run(further, cancellationToken);
        }
    }

    private void ReadDocuments(CancellationToken cancellationToken)
    {
        foreach (var (digest, size) in _source.ListBlobs())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (size is > 0 and <= OciDocument.MaxBytes && Read(digest, size) is { } document)
                _documents.Add(digest, document);
        }
    }

    // Each document is given to the walk once, which goes into each blob once.
    private List<OciDescriptor> Next()
    {
        var kept = _documents.Values.Where(document => Contains(document.Blob.Digest)).ToList();
        var about = kept.Select(document => document.Subject).OfType<OciDigest>().ToHashSet();
        return _documents.Values
            .Where(document => Contains(document.Blob.Digest) || about.Contains(document.Blob.Digest) || (document.Subject is { } subject && Contains(subject)))
            .Select(document => document.Blob).Where(blob => _walked.Add(blob.Digest)).ToList();
    }

    private (OciDescriptor Blob, OciDigest? Subject)? Read(OciDigest digest, long size)
    {
        var path = _source.Layout.BlobPath(digest);
        try
        {
            using (var file = File.OpenHandle(path))
            {
                var first = new byte[1];
                if (RandomAccess.Read(file, first, 0) == 0 || first[0] is not ((byte)'{' or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
                    return null;
            }
            var bytes = File.ReadAllBytes(path);
            var names = OciJson.Members(bytes).Select(member => member.Name).ToHashSet();
            if (!names.Overlaps(["manifests", "layers", "blobs", "subject"]))
                return null;
            var document = OciDocument.ParseAny(bytes, "");
            // What is neither may be about something all the same, and consist of whatever it names.
            var mediaType = document.Index is not null ? OciMediaType.Index : names.Overlaps(["layers", "blobs"]) ? OciMediaType.Manifest : "";
            var says = document.MediaType is { } type && OciMediaType.KindOf(type) == OciMediaType.KindOf(mediaType) ? type : mediaType;
            return (OciDescriptor.Create(says, digest, size), document.Subject?.Digest);
        }
        catch (FormatException)
        {
            // Whether the index needs it, the walk has found out.
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(_source.Location, e);
        }
    }
}
