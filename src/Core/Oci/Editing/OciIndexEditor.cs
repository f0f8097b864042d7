namespace BuildKit.Oci.Editing;

/// <summary>What is to become of a layout's index.</summary>
/// <typeparam name="T">What is told about it.</typeparam>
/// <param name="Manifests">What the index is to list; null to leave the layout as it is.</param>
/// <param name="Blobs">Blobs that are to be added, with their content.</param>
/// <param name="Result">What to tell.</param>
internal sealed record OciIndexEdit<T>(IReadOnlyList<OciDescriptor>? Manifests, IReadOnlyList<OciNewBlob> Blobs, T Result);

/// <summary>A blob that is to be added.</summary>
/// <param name="Descriptor">Its descriptor.</param>
/// <param name="Content">Its content.</param>
internal sealed record OciNewBlob(OciDescriptor Descriptor, byte[] Content);

/// <summary>
/// Changes the index of a layout, and nothing else of it: in a directory under BuildKit's lock and by one rename; an archive is written anew beside itself and moved
/// into its place.
/// </summary>
/// <param name="path">The layout.</param>
/// <param name="backup">Whether to keep the old index beside it.</param>
internal sealed class OciIndexEditor(string path, bool backup)
{
    private readonly string _path = Path.GetFullPath(path);

    /// <summary>Where the old index was kept, or null.</summary>
    public string? BackupPath { get; private set; }

    /// <summary>Finds out what would be done.</summary>
    public async Task<T> PlanAsync<T>(Func<OciLayoutSource, OciIndex, Task<OciIndexEdit<T>>> decide, CancellationToken cancellationToken)
    {
        var source = await OciContentSources.OpenAsync(_path, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
            return (await decide(source, await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false)).Result;
    }

    /// <summary>Does it.</summary>
    public async Task<T> RunAsync<T>(Func<OciLayoutSource, OciIndex, Task<OciIndexEdit<T>>> decide, CancellationToken cancellationToken)
    {
        var source = await OciContentSources.OpenAsync(_path, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            return source switch
            {
                OciDirectorySource directory => await directory.Layout.LockedAsync(() => EditAsync(directory, decide, cancellationToken), cancellationToken).ConfigureAwait(false),
                _ => await EditAsync((OciArchiveSource)source, decide, cancellationToken).ConfigureAwait(false),
            };
        }
    }

    private async Task<T> EditAsync<T>(OciDirectorySource source, Func<OciLayoutSource, OciIndex, Task<OciIndexEdit<T>>> decide, CancellationToken cancellationToken)
    {
        var layout = source.Layout;
        if (new FileInfo(layout.IndexPath).LinkTarget is { } target)
            throw OciErrors.NotWritable(layout.IndexPath, $"it is a link to '{target}'");
        var index = await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        var edit = await decide(source, index).ConfigureAwait(false);
        if (edit.Manifests is null)
            return edit.Result;
        foreach (var blob in edit.Blobs)
        {
            var blobPath = layout.BlobPath(blob.Descriptor.Digest);
            Directory.CreateDirectory(Path.GetDirectoryName(blobPath)!);
            OciFile.Replace(blobPath, blob.Content);
        }
        if (backup)
            BackupPath = OciFile.Backup(layout.IndexPath, File.ReadAllBytes(layout.IndexPath));
        if (!layout.IsIndexAlone)
            layout.WriteVersionFile();
        index.Replace(edit.Manifests);
        OciFile.Replace(layout.IndexPath, index.ToBytes());
        return edit.Result;
    }

    private async Task<T> EditAsync<T>(OciArchiveSource source, Func<OciLayoutSource, OciIndex, Task<OciIndexEdit<T>>> decide, CancellationToken cancellationToken)
    {
        var index = await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        var edit = await decide(source, index).ConfigureAwait(false);
        if (edit.Manifests is null)
            return edit.Result;
        try
        {
            var before = index.ToBytes();
            index.Replace(edit.Manifests);
            // A link stays a link, to the new archive.
            var target = File.ResolveLinkTarget(_path, returnFinalTarget: true)?.FullName ?? _path;
            await OciArchiveRewrite.RunAsync(source, target, index.ToBytes(), edit.Blobs, KeepOld, cancellationToken).ConfigureAwait(false);
            return edit.Result;

            void KeepOld()
            {
                if (backup)
                    BackupPath = OciFile.Backup($"{target}.index.json", before);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(_path, e);
        }
    }
}
