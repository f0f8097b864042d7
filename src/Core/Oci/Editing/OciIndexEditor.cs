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
/// <typeparam name="T">What is told about it.</typeparam>
/// <param name="path">The layout.</param>
/// <param name="backup">Whether to keep the old index beside it.</param>
/// <param name="decide">Decides what is to become of an index.</param>
internal sealed class OciIndexEditor<T>(string path, bool backup, Func<OciLayoutSource, OciIndex, CancellationToken, Task<OciIndexEdit<T>>> decide)
{
    private readonly string _path = Path.GetFullPath(path);
    private (OciIndex Index, OciIndexEdit<T> Edit)? _plan;

    /// <summary>Where the old index was kept, or null.</summary>
    public string? BackupPath { get; private set; }

    /// <summary>Finds out what <see cref="RunAsync"/> would do.</summary>
    public async Task<T> PlanAsync(CancellationToken cancellationToken)
    {
        var source = await OciContentSources.OpenAsync(_path, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            var index = await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
            var edit = await decide(source, index, cancellationToken).ConfigureAwait(false);
            _plan = (index, edit);
            return edit.Result;
        }
    }

    /// <summary>Does what was planned, or decides anew where nothing was, or the index is another one now.</summary>
    public async Task<T> RunAsync(CancellationToken cancellationToken)
    {
        var source = await OciContentSources.OpenAsync(_path, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            return source switch
            {
                OciDirectorySource directory => await directory.Layout.LockedAsync(() => EditAsync(directory, cancellationToken), cancellationToken).ConfigureAwait(false),
                _ => await EditAsync((OciArchiveSource)source, cancellationToken).ConfigureAwait(false),
            };
        }
    }

    private async Task<T> EditAsync(OciDirectorySource source, CancellationToken cancellationToken)
    {
        var layout = source.Layout;
        if (new FileInfo(layout.IndexPath).LinkTarget is { } target)
            throw OciErrors.NotWritable(layout.IndexPath, $"it is a link to '{target}'");
        var (before, after, edit) = await DecideAsync(source, cancellationToken).ConfigureAwait(false);
        if (after is null)
            return edit.Result;
        foreach (var blob in edit.Blobs)
        {
            var blobPath = layout.BlobPath(blob.Descriptor.Digest);
            Directory.CreateDirectory(Path.GetDirectoryName(blobPath)!);
            OciFile.Replace(blobPath, blob.Content);
        }
        if (backup)
            BackupPath = OciFile.Backup(layout.IndexPath, before, layout.IndexPath);
        if (!layout.IsIndexAlone)
            layout.WriteVersionFile();
        OciFile.Replace(layout.IndexPath, after);
        return edit.Result;
    }

    private async Task<T> EditAsync(OciArchiveSource source, CancellationToken cancellationToken)
    {
        var (before, after, edit) = await DecideAsync(source, cancellationToken).ConfigureAwait(false);
        if (after is null)
            return edit.Result;
        try
        {
            // A link stays a link, to the new archive.
            var target = File.ResolveLinkTarget(_path, returnFinalTarget: true)?.FullName ?? _path;
            await OciArchiveRewrite.RunAsync(source, target, after, edit.Blobs, KeepOld, cancellationToken).ConfigureAwait(false);
            return edit.Result;

            void KeepOld()
            {
                if (backup)
                    BackupPath = OciFile.Backup($"{target}.index.json", before, target);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(_path, e);
        }
    }

    /// <summary>The index as it is, and as it is to be: null to leave it.</summary>
    private async Task<(ReadOnlyMemory<byte> Before, byte[]? After, OciIndexEdit<T> Edit)> DecideAsync(OciLayoutSource source, CancellationToken cancellationToken)
    {
        var index = source.ReadIndex(_plan?.Index);
        var edit = _plan is { } plan && plan.Index == index ? plan.Edit : await decide(source, index, cancellationToken).ConfigureAwait(false);
        if (edit.Manifests is null)
            return (index.Document, null, edit);
        index.Replace(edit.Manifests);
        return (index.Document, index.ToBytes(), edit);
    }
}
