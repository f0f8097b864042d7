using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Oci;

/// <summary>What points to a blob: its type, digest and size (OCI image-spec, descriptor.md). It keeps every field it was read with, also those it does not know.</summary>
internal sealed class OciDescriptor
{
    /// <summary>The short name of an image within a layout: as a rule a tag.</summary>
    public const string RefNameAnnotation = "org.opencontainers.image.ref.name";

    /// <summary>The whole name of an image, as containerd and BuildKit write it.</summary>
    public const string ImageNameAnnotation = "io.containerd.image.name";

    // The order in which Go's ocispec.Descriptor is written.
    private static readonly string[] FieldOrder = ["mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"];

    private readonly JsonObject _json;

    private OciDescriptor(JsonObject json, OciDigest digest, long size)
    {
        _json = json;
        Digest = digest;
        Size = size;
    }

    public string MediaType => OciJson.Text(_json, "mediaType") ?? string.Empty;

    public OciDigest Digest { get; }

    /// <summary>Of the blob, in bytes.</summary>
    public long Size { get; }

    /// <summary>The name by which it is found: the whole one where there is one, or else the short one; null where it has none.</summary>
    public string? Name => ImageName ?? RefName;

    public string? ImageName => Annotation(ImageNameAnnotation);

    public string? RefName => Annotation(RefNameAnnotation);

    /// <summary>A descriptor of a blob.</summary>
    public static OciDescriptor Create(string mediaType, OciDigest digest, long size) =>
        new(new JsonObject { ["mediaType"] = mediaType, ["digest"] = digest.ToString(), ["size"] = size }, digest, size);

    /// <summary>Reads a descriptor from its JSON text.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static OciDescriptor Parse(ReadOnlySpan<byte> utf8) => Read(OciJson.ParseObject(utf8));

    /// <exception cref="FormatException">It is none.</exception>
    public static OciDescriptor Read(JsonNode? node)
    {
        if (node is not JsonObject json)
            throw new FormatException("a descriptor is not an object");
        if (!OciDigest.TryParse(OciJson.Text(json, "digest"), out var digest))
            throw new FormatException($"a descriptor has the digest '{OciJson.Text(json, "digest")}'");
        if (json["size"] is not JsonValue value || !value.TryGetValue<long>(out var size) || size < 0)
            throw new FormatException($"the descriptor of {digest} has no size");
        return new OciDescriptor(json, digest, size);
    }

    /// <summary>A copy with a name; null removes one.</summary>
    public OciDescriptor With(string? imageName, string? refName)
    {
        var json = _json.DeepClone().AsObject();
        var annotations = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var (key, value) in json["annotations"] as JsonObject ?? [])
            annotations[key] = value?.DeepClone();
        Set(ImageNameAnnotation, imageName);
        Set(RefNameAnnotation, refName);
        json["annotations"] = new JsonObject(annotations);
        return new OciDescriptor(OciJson.InOrder(json, FieldOrder), Digest, Size);

        void Set(string key, string? value)
        {
            if (value is null)
                annotations.Remove(key);
            else
                annotations[key] = value;
        }
    }

    /// <summary>A copy of its JSON, to be put into a document.</summary>
    public JsonObject ToJson() => _json.DeepClone().AsObject();

    private string? Annotation(string name) => _json["annotations"] is JsonObject annotations ? OciJson.Text(annotations, name) : null;
}
