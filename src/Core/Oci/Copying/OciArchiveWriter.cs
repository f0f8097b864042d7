using System.Text;
using System.Text.Json.Nodes;

namespace BuildKit.Oci.Copying;

/// <summary>Writes a tar archive of a layout, forward only. With one image it also has what <c>docker load</c> of an Engine without containerd's image store looks for.</summary>
/// <param name="output">Where it goes; stays open.</param>
/// <param name="forDocker">Whether it is for <c>docker load</c>.</param>
internal sealed class OciArchiveWriter(Stream output, bool forDocker)
{
    private readonly HashSet<OciDigest> _written = [];

    /// <summary>Adds a blob, unless it is in it.</summary>
    public async Task<OciCopyState> AddBlobAsync(OciDescriptor blob, OciContentSource source, Action<long> progress, CancellationToken cancellationToken)
    {
        if (!_written.Add(blob.Digest))
            return OciCopyState.Skipped;
        var from = await source.OpenBlobAsync(blob, cancellationToken).ConfigureAwait(false);
        await using (from.ConfigureAwait(false))
            await OciTarWriter.WriteFileAsync(
                output, OciTarHeader.Create(OciLayout.BlobName(blob.Digest), blob.Size), blob.Size, () => OciBlobCopy.RunAsync(from, output.WriteAsync, progress, cancellationToken),
                cancellationToken).ConfigureAwait(false);
        return OciCopyState.Copied;
    }

    /// <summary>Adds the manifests and what names them, and ends the archive.</summary>
    public async Task FinishAsync(OciCopyPlan plan, CancellationToken cancellationToken)
    {
        foreach (var (manifest, content) in plan.Manifests)
        {
            if (_written.Add(manifest.Digest))
                await OciTarWriter.WriteFileAsync(output, OciLayout.BlobName(manifest.Digest), content, cancellationToken).ConfigureAwait(false);
        }
        await OciTarWriter.WriteFileAsync(output, "oci-layout", OciFile.Version, cancellationToken).ConfigureAwait(false);
        var index = OciIndex.CreateEmpty();
        plan.AddTo(index);
        await OciTarWriter.WriteFileAsync(output, "index.json", index.ToBytes(), cancellationToken).ConfigureAwait(false);
        if (forDocker && OciMediaType.KindOf(plan.Root.MediaType) == OciBlobKind.Manifest)
            await OciTarWriter.WriteFileAsync(output, "manifest.json", DockerManifest(plan), cancellationToken).ConfigureAwait(false);
        await OciTarWriter.WriteEndAsync(output, cancellationToken).ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    // moby image/tarexport: manifest.json
    private static byte[] DockerManifest(OciCopyPlan plan)
    {
        var manifest = OciManifest.Parse(plan.Manifests[^1].Content);
        var names = plan.Name is { ImageName: { } name } ? new JsonArray(name) : null;
        var image = new JsonObject
        {
            ["Config"] = OciLayout.BlobName(manifest.Config!.Digest),
            ["RepoTags"] = names,
            ["Layers"] = new JsonArray([.. manifest.Layers.Select(layer => (JsonNode)OciLayout.BlobName(layer.Digest))]),
        };
        return Encoding.UTF8.GetBytes(new JsonArray(image).ToJsonString());
    }
}
