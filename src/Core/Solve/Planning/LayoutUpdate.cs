using BuildKit.Builders;
using BuildKit.Oci;
using BuildKit.Session.Content;
using BuildKit.Session.FileSend;

namespace BuildKit.Solve.Planning;

/// <summary>Puts what the daemon wrote into a layout among its blobs, and into its index (moby/buildkit client/solve.go).</summary>
/// <param name="store">Where the daemon wrote.</param>
/// <param name="read">Reads from the response what was written and how it is to be called; null where nothing was.</param>
internal sealed class LayoutUpdate(ContentStore store, Func<IDictionary<string, string>, LayoutRoot?> read) : IAfterSolve
{
    public async Task RunAsync(
        BuildKitConnection connection, IDictionary<string, string> response, IProgress<SolveEvent>? events, CancellationToken cancellationToken)
    {
        if (read(response) is not { } root)
            return;
        var manifest = Choose(root.Manifest);
        await store.Layout.UpdateAsync(
            store.Publish,
            index =>
            {
                foreach (var name in root.Names)
                    index.Put(manifest, name);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Of several exporters the response tells about one, and that may be another. What the daemon wrote last is the root of what it wrote: it writes what a
    /// manifest refers to before the manifest.
    /// </summary>
    private OciDescriptor Choose(OciDescriptor described)
    {
        var written = store.LastWritten ?? described.Digest;
        var file = store.Find(written) ?? throw ExportErrors.Incomplete(store.Layout.Path, "the daemon said that the build succeeded, but did not send everything");
        if (written == described.Digest)
            return described;
        try
        {
            var mediaType = OciManifest.Parse(File.ReadAllBytes(file.FullName)).MediaType;
            return OciDescriptor.Create(mediaType ?? described.MediaType, written, file.Length);
        }
        catch (FormatException e)
        {
            throw ExportErrors.Incomplete(store.Layout.Path, $"the last blob that the daemon sent is no manifest ({e.Message})");
        }
    }
}

/// <summary>What a layout's index is to name.</summary>
/// <param name="Manifest">The manifest or index, as the daemon describes it.</param>
/// <param name="Names">Its names.</param>
internal sealed record LayoutRoot(OciDescriptor Manifest, IReadOnlyList<OciImageName> Names);
