using System.Security.Cryptography;
using BuildKit.Grpc;
using BuildKit.Oci;
using BuildKit.Session.FileSend;

namespace BuildKit.Session.Content;

/// <summary>
/// The blobs of a layout directory, as the daemon reads and writes them during one build. What it writes lies apart until <see cref="Publish"/> puts it among
/// the layout's blobs, so that a failed build leaves the layout as it was and two builds into one layout do not count on each other's blobs.
/// </summary>
internal sealed class ContentStore : IDisposable
{
    private readonly object _lock = new();
    private readonly Dictionary<string, ContentIngest> _ingests = new(StringComparer.Ordinal);
    private readonly HashSet<OciDigest> _written = [];
    private StagingArea? _staging;
    private int _named;
    private bool _published;
    private bool _disposed;

    public ContentStore(OciLayout layout) => Layout = layout;

    public OciLayout Layout { get; }

    /// <summary>Whether the daemon may write; settled before the session is opened.</summary>
    public bool IsWritable { get; set; }

    /// <summary>The blob that the daemon wrote last, or wanted to write and found present: of an image or a cache, its root.</summary>
    public OciDigest? LastWritten { get; private set; }

    /// <summary>Where a blob can be read, or null where there is none.</summary>
    public FileInfo? Find(OciDigest digest)
    {
        lock (_lock)
        {
            if (!_published && _written.Contains(digest))
                return new FileInfo(StagedPath(digest));
        }
        var file = new FileInfo(Layout.BlobPath(digest));
        return file.Exists ? file : null;
    }

    /// <summary>Every blob there is.</summary>
    public IEnumerable<(OciDigest Digest, FileInfo File)> List()
    {
        HashSet<OciDigest> digests;
        lock (_lock)
            digests = [.. _written];
        foreach (var (digest, _) in Layout.ListBlobs())
            digests.Add(digest);
        foreach (var digest in digests)
        {
            if (Find(digest) is { } file)
                yield return (digest, file);
        }
    }

    /// <summary>Begins to write a blob, or goes on. The caller ends it by <see cref="Release"/>, <see cref="Commit"/> or <see cref="Abort"/>.</summary>
    /// <exception cref="RpcException">The store can't be written to, or another call writes the same blob.</exception>
    /// <exception cref="ExportException">The disk is full, or the like.</exception>
    public ContentIngest Begin(string reference, long total, OciDigest? expected)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!IsWritable)
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"the store of '{Layout.Path}' is for reading only"));
            if (!_ingests.TryGetValue(reference, out var ingest))
            {
                _staging ??= Stage();
                var path = Path.Combine(_staging.Path, $"{_named++}.ingest");
                ingest = new ContentIngest(reference, path, Layout.Path, expected?.HashAlgorithm ?? HashAlgorithmName.SHA256) { Total = total, Expected = expected };
                _ingests.Add(reference, ingest);
            }
            else if (ingest.IsInUse)
            {
                throw Locked(reference);
            }
            ingest.IsInUse = true;
            return ingest;
        }
    }

    /// <summary>Says that no call writes it now; what it has stays for the next one.</summary>
    public void Release(ContentIngest ingest)
    {
        lock (_lock)
        {
            ingest.IsInUse = false;
            if (_disposed)
                ingest.Dispose();
        }
    }

    /// <summary>Ends a blob: checks it and makes it readable.</summary>
    /// <exception cref="RpcException">It is not what was announced, and gone; or there is one already.</exception>
    /// <exception cref="ExportException">The disk is full, or the like.</exception>
    public OciDigest Commit(ContentIngest ingest)
    {
        try
        {
            var size = ingest.Offset;
            var digest = ingest.Finish();
            if (ingest.Total > 0 && ingest.Total != size)
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"unexpected commit size {size}, expected {ingest.Total}"));
            if (ingest.Expected is { } expected && expected != digest)
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"unexpected commit digest {digest}, expected {expected}"));
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                RefuseExisting(digest, size);
                var path = StagedPath(digest);
                ExportFileSystem.Guard(Layout.Path, _ => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
                ingest.MoveTo(path);
                _written.Add(digest);
                LastWritten = digest;
            }
            return digest;
        }
        finally
        {
            Forget(ingest);
        }
    }

    /// <summary>Throws where a blob is there already. One of another size than announced is damaged, and will be replaced.</summary>
    /// <exception cref="RpcException"><see cref="StatusCode.AlreadyExists"/>.</exception>
    public void RefuseExisting(OciDigest digest, long total)
    {
        if (Find(digest) is not { } file || (total > 0 && file.Length != total))
            return;
        lock (_lock)
            LastWritten = digest;
        throw new RpcException(new Status(StatusCode.AlreadyExists, $"content {digest} already exists"));
    }

    /// <summary>Forgets a blob that was begun.</summary>
    /// <exception cref="RpcException">There is none, or a call is writing it.</exception>
    public void Abort(string reference)
    {
        lock (_lock)
        {
            if (!_ingests.TryGetValue(reference, out var ingest))
                throw new RpcException(new Status(StatusCode.NotFound, $"ingest ref {reference} not found"));
            if (ingest.IsInUse)
                throw Locked(reference);
            Forget(ingest);
        }
    }

    /// <summary>What is being written.</summary>
    public IReadOnlyList<ContentIngest> Ingests()
    {
        lock (_lock)
            return [.. _ingests.Values];
    }

    /// <summary>Puts what was written among the layout's blobs.</summary>
    /// <exception cref="ExportException">The disk is full, or the like.</exception>
    public void Publish()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_published)
                return;
            foreach (var digest in _written)
            {
                var (from, to) = (StagedPath(digest), Layout.BlobPath(digest));
                ExportFileSystem.Guard(to, path => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
                ExportFileSystem.Rename(from, to);
            }
            _staging?.KeepParents();
            _published = true;
        }
    }

    /// <summary>Removes what is not published.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            foreach (var ingest in _ingests.Values.Where(ingest => !ingest.IsInUse))
                ingest.Dispose();
            if (_staging is null)
                return;
            try
            {
                ExportFileSystem.Delete(_staging.Path, EntryKind.Directory);
                _staging.RemoveParents();
            }
            catch (ExportException)
            {
                // Its disk is gone, or somebody else holds it. An exception from here would hide why the build ended.
            }
        }
    }

    // The daemon tries again after a while (containerd content.OpenWriter).
    private static RpcException Locked(string reference) => new(new Status(StatusCode.Unavailable, $"ref {reference} locked"));

    private StagingArea Stage()
    {
        var staging = StagingArea.Create(Layout.Path, "ingest");
        ExportFileSystem.CreateDirectory(new EntryPath(staging.Path, staging.Path, Layout.Path));
        return staging;
    }

    private void Forget(ContentIngest ingest)
    {
        lock (_lock)
            _ingests.Remove(ingest.Ref);
        ingest.Dispose();
    }

    private string StagedPath(OciDigest digest) => Path.Combine(_staging!.Path, digest.Algorithm, digest.Hex);
}
