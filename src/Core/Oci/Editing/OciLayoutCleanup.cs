using BuildKit.Oci.Checking;

namespace BuildKit.Oci.Editing;

/// <summary>A blob that nothing refers to.</summary>
/// <param name="Layout">The layout directory.</param>
/// <param name="Digest">The blob.</param>
/// <param name="Size">Its size in bytes.</param>
public sealed record OciRemovedBlob(string Layout, string Digest, long Size);

/// <summary>Removes blobs that nothing refers to from layout directories.</summary>
public static class OciLayoutCleanup
{
    /// <summary>Finds what <see cref="RunAsync"/> would remove.</summary>
    /// <param name="path">The layout directory.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The blobs.</returns>
    /// <exception cref="BuildKitException">As <see cref="RunAsync"/>.</exception>
    public static async Task<IReadOnlyList<OciRemovedBlob>> PlanAsync(string path, CancellationToken cancellationToken)
    {
        var directory = await OpenAsync(path, cancellationToken).ConfigureAwait(false);
        await using (directory.ConfigureAwait(false))
            return await FindAsync(directory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Removes what nothing refers to that the index leads to. The index is locked meanwhile, as BuildKit's tools lock it; a tool that writes blobs into the layout
    /// without a lock, and the index last, must not run at the same time.
    /// </summary>
    /// <param name="path">The layout directory.</param>
    /// <param name="cancellationToken">Ends it; what has gone is gone.</param>
    /// <returns>The blobs that went.</returns>
    /// <exception cref="BuildKitException">
    /// <c>BuildKit.OciLayoutIncomplete</c>: an index or a manifest can't be read, so that what it refers to is not known; <c>BuildKit.OciUnsafePath</c>: a directory
    /// of blobs is a link; <c>BuildKit.OciLayoutLocked</c>, or the layout can't be read or written.
    /// </exception>
    public static async Task<IReadOnlyList<OciRemovedBlob>> RunAsync(string path, CancellationToken cancellationToken)
    {
        var directory = await OpenAsync(path, cancellationToken).ConfigureAwait(false);
        await using (directory.ConfigureAwait(false))
            return await directory.Layout.LockedAsync(
                async () =>
                {
                    var blobs = await FindAsync(directory, cancellationToken).ConfigureAwait(false);
                    foreach (var blob in blobs)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        File.Delete(directory.Layout.BlobPath(OciDigest.Parse(blob.Digest)));
                    }
                    return blobs;
                },
                cancellationToken).ConfigureAwait(false);
    }

    private static async Task<OciDirectorySource> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var source = await OciContentSources.OpenAsync(path, cancellationToken).ConfigureAwait(false);
        if (source is OciDirectorySource { Layout.IsIndexAlone: false } directory)
        {
            // Blobs that lie elsewhere may be shared with other layouts.
            foreach (var (name, why) in directory.ListUnsafe())
                if (Directory.Exists(Path.Combine(directory.Location, name)))
                    throw OciErrors.NotWritable(Path.Combine(directory.Location, name), why);
            return directory;
        }
        await source.DisposeAsync().ConfigureAwait(false);
        throw OciErrors.Invalid(source.Location, "it is no layout directory, and blobs are removed from nothing else", "Unpack the archive (tar -xf) and name the directory.");
    }

    private static async Task<List<OciRemovedBlob>> FindAsync(OciDirectorySource directory, CancellationToken cancellationToken)
    {
        var index = await directory.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        var findings = new OciFindings(directory.Location);
        var walk = new OciLayoutWalk(directory, findings, fast: false);
        walk.Run(index, cancellationToken);
        if (!walk.IsComplete)
            throw OciErrors.Incomplete(directory.Location, findings.ToReport(0, 0).Findings.First(finding => finding.Severity == OciFindingSeverity.Error).Message);
        return directory.ListBlobs().Where(blob => !walk.Found.ContainsKey(blob.Digest))
            .Select(blob => new OciRemovedBlob(directory.Location, blob.Digest.ToString(), blob.Size)).ToList();
    }
}
