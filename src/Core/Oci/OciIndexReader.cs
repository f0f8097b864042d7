namespace BuildKit.Oci;

/// <summary>Lists what a layout holds.</summary>
public static class OciIndexReader
{
    /// <summary>Lists the entries of a layout's index.</summary>
    /// <param name="path">The layout: a directory, an archive or an index file.</param>
    /// <param name="recurse">Whether to go on into the indexes and manifests that are listed, as far as they are there. What occurs twice is gone into once.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The entries, each before those below it.</returns>
    /// <exception cref="BuildKitException">The layout can't be read.</exception>
    public static async Task<IReadOnlyList<OciIndexEntry>> ListAsync(string path, bool recurse, CancellationToken cancellationToken)
    {
        var source = await OciContentSources.OpenAsync(path, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            var entries = new List<OciIndexEntry>();
            var visited = new HashSet<OciDigest>();
            await AddAsync(await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false), "index.json", 1).ConfigureAwait(false);
            return entries;

            async Task AddAsync(OciIndex index, string place, int depth)
            {
                if (depth > OciDocument.MaxDepth)
                    throw OciErrors.TooDeep(source.Location, place);
                for (var i = 0; i < index.Manifests.Count; i++)
                {
                    var manifest = index.Manifests[i];
                    var at = entries.Count;
                    entries.Add(OciIndexEntry.Create(manifest, $"{place}/manifests[{i}]", source.Location));
                    if (!recurse || OciMediaType.KindOf(manifest.MediaType) is not (OciBlobKind.Index or OciBlobKind.Manifest) || !visited.Add(manifest.Digest)
                        || await source.FindBlobAsync(manifest.Digest, cancellationToken).ConfigureAwait(false) is null)
                        continue;
                    var document = await OciDocument.ReadAsync(source, manifest, cancellationToken).ConfigureAwait(false);
                    entries[at] = entries[at] with { ArtifactType = entries[at].ArtifactType ?? document.ArtifactType, Subject = document.Subject?.Digest.ToString() ?? entries[at].Subject };
                    if (document.Index is { } nested)
                        await AddAsync(nested, entries[at].Path, depth + 1).ConfigureAwait(false);
                }
            }
        }
    }
}
