namespace BuildKit.Oci.Images;

/// <summary>Joins what three lists say of the same layers: the manifest's, the configuration's digests, and the history.</summary>
internal static class OciImageLayers
{
    /// <summary>The layers of a manifest.</summary>
    public static List<OciImageLayer> Of(OciManifest manifest, IReadOnlyList<string> diffIds, IReadOnlyList<OciHistoryJson> history)
    {
        var steps = history.Where(step => !step.EmptyLayer).ToList();
        var layers = manifest.Layers;
        // Where one list is longer, nobody knows which of its items has no partner.
        return layers.Select((layer, i) => new OciImageLayer(
            layer.Digest.ToString(), layer.MediaType, layer.Size, diffIds.Count == layers.Count ? diffIds[i] : null, steps.Count == layers.Count ? steps[i].CreatedBy : null,
            layer.Annotations)).ToList();
    }

    /// <summary>The history with those layers.</summary>
    public static List<OciImageHistory> Join(IReadOnlyList<OciHistoryJson> history, IReadOnlyList<OciImageLayer> layers)
    {
        var fits = history.Count(step => !step.EmptyLayer) == layers.Count;
        var next = 0;
        return history.Select(step => new OciImageHistory(
            step.CreatedBy, step.Created, step.Author, step.Comment, step.EmptyLayer, fits && !step.EmptyLayer ? layers[next++] : null)).ToList();
    }
}
