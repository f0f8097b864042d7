using System.Text.Json.Nodes;

namespace BuildKit.Oci;

/// <summary>Makes one index of several, byte for byte as docker/buildx does (util/imagetools/create.go, Combine), so that the same parts have the same digest.</summary>
internal static class IndexJoin
{
    private const string DockerTypes = "application/vnd.docker.";

    /// <summary>Joins them.</summary>
    /// <param name="parts">The indexes; their entries keep their order.</param>
    /// <param name="annotations">Annotations of the index and of its entries. Docker's manifest list, which the result is where all entries are docker's, has none.</param>
    public static JoinedIndex Join(IEnumerable<OciIndex> parts, IReadOnlyList<Annotation> annotations)
    {
        var entries = Distinct(parts.SelectMany(part => part.Manifests));
        var isDocker = entries.TrueForAll(entry => entry.MediaType.StartsWith(DockerTypes, StringComparison.Ordinal));
        if (isDocker)
            annotations = [];
        var json = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = isDocker ? OciMediaType.DockerManifestList : OciMediaType.Index,
            ["manifests"] = new JsonArray([.. entries.Select(entry => (JsonNode)OciJson.ParseObject(entry.WithAnnotations(Of(entry, annotations)).Json))]),
        };
        // Go writes a map in the order of its keys, and leaves an empty one out.
        var ofIndex = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var annotation in annotations.Where(annotation => annotation.Type == "index"))
            ofIndex[annotation.Key] = annotation.Value;
        if (ofIndex.Count > 0)
            json["annotations"] = new JsonObject(ofIndex);

        var content = GoJson.ToIndentedBytes(json);
        var platforms = new Dictionary<string, string>();
        foreach (var entry in entries.Where(entry => entry.Platform is { } platform && platform != OciPlatform.Unknown))
            platforms.TryAdd(entry.Platform!.ToString(), entry.Digest.ToString());
        return new JoinedIndex(isDocker ? OciMediaType.DockerManifestList : OciMediaType.Index, content, OciDigest.Of(content).ToString(), platforms);
    }

    /// <summary>What two parts share is there once, with the annotations of both.</summary>
    private static List<OciDescriptor> Distinct(IEnumerable<OciDescriptor> entries)
    {
        var distinct = new List<OciDescriptor>();
        foreach (var entry in entries)
        {
            var at = distinct.FindIndex(other => other.Digest == entry.Digest);
            if (at < 0)
                distinct.Add(entry);
            else
                distinct[at] = distinct[at].WithAnnotations(entry.Annotations!);
        }
        return distinct;
    }

    private static IEnumerable<KeyValuePair<string, string?>> Of(OciDescriptor entry, IEnumerable<Annotation> annotations) => annotations
        .Where(annotation => annotation.Type == "manifest-descriptor" && (annotation.Platform is null || annotation.Platform == entry.Platform?.ToString()))
        .Select(annotation => KeyValuePair.Create(annotation.Key, (string?)annotation.Value));
}

/// <summary>An index and what it is in a registry.</summary>
/// <param name="MediaType">An OCI index's, or that of docker's manifest list.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Digest">Their digest, <c>sha256:…</c>.</param>
/// <param name="Platforms">The digest of each platform's manifest, by <c>OS/ARCHITECTURE[/VARIANT]</c>.</param>
internal sealed record JoinedIndex(string MediaType, byte[] Content, string Digest, IReadOnlyDictionary<string, string> Platforms);
