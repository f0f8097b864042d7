using BuildKit.Files;

namespace BuildKit.Oci;

/// <summary>A directory in the OCI image layout (OCI image-spec, image-layout.md): <c>oci-layout</c>, <c>index.json</c> and <c>blobs/ALGORITHM/HEX</c>.</summary>
internal sealed class OciLayout
{
    // Other tools write the index in place, so that what is read may be half of it.
    private const int ReadAttempts = 5;
    private static readonly TimeSpan ReadDelay = TimeSpan.FromMilliseconds(20);

    /// <param name="path">The directory, absolute; it need not exist.</param>
    /// <param name="indexName">The file with the index.</param>
    public OciLayout(string path, string indexName = "index.json")
    {
        Path = System.IO.Path.GetFullPath(path);
        IndexPath = System.IO.Path.Combine(Path, indexName);
    }

    public string Path { get; }

    public string IndexPath { get; }

    public string BlobsPath => System.IO.Path.Combine(Path, "blobs");

    /// <summary>Whether it is an index with no layout around it: a copy under another name, or with no blobs beside it.</summary>
    public bool IsIndexAlone => System.IO.Path.GetFileName(IndexPath) != "index.json" || !(Directory.Exists(BlobsPath) || File.Exists(VersionPath));

    public string VersionPath => System.IO.Path.Combine(Path, "oci-layout");

    /// <summary>A layout that exists.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutNotFound</c>, or <c>BuildKit.OciLayoutInvalid</c> for a file.</exception>
    public static OciLayout Open(string path)
    {
        var layout = new OciLayout(path);
        if (Directory.Exists(layout.Path))
            return layout;
        throw File.Exists(layout.Path)
            ? OciErrors.Invalid(layout.Path, "it is a file, and an OCI layout is a directory", "Unpack the archive (tar -xf) and name the directory.")
            : OciErrors.NotFound(layout.Path);
    }

    /// <summary>Where a blob lies, whether it exists or not.</summary>
    public string BlobPath(OciDigest digest) => System.IO.Path.Combine(BlobsPath, digest.Algorithm, digest.Hex);

    /// <summary>What a blob is called within any layout, also in an archive of one.</summary>
    public static string BlobName(OciDigest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";

    /// <summary>Reads what <see cref="BlobName"/> writes; false for any other name.</summary>
    public static bool TryReadBlobName(string name, out OciDigest digest)
    {
        digest = default;
        return name.Split('/') is ["blobs", var algorithm, var hex] && OciDigest.TryParse($"{algorithm}:{hex}", out digest);
    }

    /// <summary>Every blob there is, with its size; a link is none.</summary>
    public IEnumerable<(OciDigest Digest, long Size)> ListBlobs()
    {
        var options = new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };
        foreach (var algorithm in Directory.Exists(BlobsPath) ? Directory.EnumerateDirectories(BlobsPath) : [])
        {
            foreach (var file in new DirectoryInfo(algorithm).EnumerateFiles("*", options))
            {
                if (OciDigest.TryParse($"{System.IO.Path.GetFileName(algorithm)}:{file.Name}", out var digest))
                    yield return (digest, file.Length);
            }
        }
    }

    /// <summary>Reads <c>index.json</c>: one file, small as a rule.</summary>
    /// <param name="known">One that was read before, which is returned where the file is still the same; or null.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutInvalid</c>: it is missing, or no index; <c>BuildKit.OciLayoutDenied</c>.</exception>
    public OciIndex ReadIndex(OciIndex? known = null) =>
        TryReadIndex(known) ?? throw OciErrors.Invalid(Path, "it has no index.json", "Name a directory that has the files oci-layout and index.json.");

    /// <summary>Throws where the directory can't become a layout, or is a broken one: better before a build than after it.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutInvalid</c>, <c>BuildKit.OciLayoutDenied</c>.</exception>
    public void DemandUpdatable()
    {
        if (File.Exists(Path))
            throw OciErrors.Invalid(Path, "it is a file, and an OCI layout is a directory", "Name another directory.");
        TryReadIndex();
    }

    /// <summary>
    /// Changes <c>index.json</c> and makes the layout where there is none, both in one step each, while nobody else who keeps to the lock (BuildKit's tools do) can.
    /// </summary>
    /// <param name="prepare">Is called with the lock held before the index is read: puts blobs into place.</param>
    /// <param name="change">Changes the index.</param>
    /// <param name="cancellationToken">Ends the waiting for the lock; what has begun is finished.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutLocked</c>, <c>BuildKit.OciLayoutInvalid</c>, <c>BuildKit.OciLayoutDenied</c> or <c>BuildKit.OciLayoutUnwritable</c>.</exception>
    public Task UpdateAsync(Action prepare, Action<OciIndex> change, CancellationToken cancellationToken) => LockedAsync(
        () =>
        {
            prepare();
            var index = TryReadIndex() ?? OciIndex.CreateEmpty();
            change(index);
            WriteVersionFile();
            OciFile.Replace(IndexPath, index.ToBytes());
            return Task.FromResult(index);
        },
        cancellationToken);

    /// <summary>Does something while nobody else who keeps to the lock changes the index.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutLocked</c>, <c>BuildKit.OciLayoutDenied</c> or <c>BuildKit.OciLayoutUnwritable</c>.</exception>
    public async Task<T> LockedAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(Path);
            using (await OciIndexLock.AcquireAsync(IndexPath, cancellationToken).ConfigureAwait(false))
                return await act().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(Path, e);
        }
    }

    /// <summary>Writes the file <c>oci-layout</c> where it is missing.</summary>
    public void WriteVersionFile()
    {
        if (!File.Exists(VersionPath))
            OciFile.Replace(VersionPath, OciFile.Version);
    }

    private OciIndex? TryReadIndex(OciIndex? known = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (!OperatingSystem.IsWindows() && UnixNative.IsSpecialFile(IndexPath))
                    throw OciErrors.Invalid(Path, "its index.json is no regular file", "Put a file there.");
                if (new FileInfo(IndexPath) is { Exists: true, Length: > OciLayoutSource.MaxIndexBytes and var length })
                    throw OciErrors.Invalid(Path, $"its index.json has {length} bytes", $"An index has at most {OciLayoutSource.MaxIndexBytes} bytes.");
                var bytes = File.ReadAllBytes(IndexPath);
                return known is not null && known.Document.Span.SequenceEqual(bytes) ? known : OciIndex.Parse(bytes);
            }
            catch (FormatException e)
            {
                if (attempt == ReadAttempts)
                    throw OciErrors.Invalid(Path, $"its index.json can't be read: {e.Message}", "Correct the file, or have the layout written anew.", e);
                Thread.Sleep(ReadDelay);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw OciErrors.From(Path, e);
            }
        }
    }
}
