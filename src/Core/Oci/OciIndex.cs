using System.Text.Json.Nodes;

namespace BuildKit.Oci;

/// <summary>An image index, such as the <c>index.json</c> of a layout (OCI image-spec, image-index.md).</summary>
internal sealed class OciIndex
{
    public const string MediaType = "application/vnd.oci.image.index.v1+json";

    // The order in which Go's ocispec.Index is written.
    private static readonly string[] FieldOrder = ["schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations"];

    private readonly JsonObject _json;
    private readonly List<OciDescriptor> _manifests;

    private OciIndex(JsonObject json, List<OciDescriptor> manifests)
    {
        _json = json;
        _manifests = manifests;
    }

    /// <summary>What it lists, in its order.</summary>
    public IReadOnlyList<OciDescriptor> Manifests => _manifests;

    public static OciIndex CreateEmpty() => new([], []);

    /// <exception cref="FormatException">It is none.</exception>
    public static OciIndex Parse(ReadOnlySpan<byte> utf8)
    {
        var json = OciJson.ParseObject(utf8);
        var manifests = json["manifests"] switch
        {
            null => [],
            JsonArray array => array.Select(OciDescriptor.Read).ToList(),
            _ => throw new FormatException("its 'manifests' are no array"),
        };
        return new OciIndex(json, manifests);
    }

    /// <summary>The first entry with a name: by its whole name, or else by its short one (moby/buildkit client/ociindex).</summary>
    public OciDescriptor? Find(string name) =>
        _manifests.Find(manifest => manifest.ImageName == name) ?? _manifests.Find(manifest => manifest.RefName == name);

    /// <summary>Adds an entry in place of those that have the same name; all others stay as they are (moby/buildkit client/ociindex).</summary>
    /// <param name="manifest">What to add.</param>
    /// <param name="name">The name to give it.</param>
    public void Put(OciDescriptor manifest, OciImageName name)
    {
        _manifests.RemoveAll(other => (other.ImageName ?? "") == (name.ImageName ?? "") && (other.RefName ?? "") == name.RefName);
        _manifests.Add(manifest.With(name.ImageName, name.RefName));
    }

    public byte[] ToBytes()
    {
        var json = _json.DeepClone().AsObject();
        if (json["schemaVersion"] is null)
            json["schemaVersion"] = 2;
        if (string.IsNullOrEmpty(OciJson.Text(json, "mediaType")))
            json["mediaType"] = MediaType;
        json["manifests"] = new JsonArray([.. _manifests.Select(manifest => (JsonNode)manifest.ToJson())]);
        return OciJson.ToBytes(OciJson.InOrder(json, FieldOrder));
    }
}
