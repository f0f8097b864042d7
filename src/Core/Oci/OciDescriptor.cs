using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Oci;

/// <summary>
/// What points to a blob: its type, digest and size (OCI image-spec, descriptor.md). It does not change, and keeps every field it was read with, also those that
/// are not known here.
/// </summary>
public sealed class OciDescriptor
{
    /// <summary>The short name of an image within a layout: as a rule a tag.</summary>
    public const string RefNameAnnotation = "org.opencontainers.image.ref.name";

    /// <summary>The whole name of an image, as containerd and BuildKit write it.</summary>
    public const string ImageNameAnnotation = "io.containerd.image.name";

    /// <summary>What kind of companion of another manifest this is, as BuildKit writes it: <c>attestation-manifest</c>.</summary>
    public const string ReferenceTypeAnnotation = "vnd.docker.reference.type";

    /// <summary>The digest of the manifest that an attestation manifest is about, as BuildKit writes it.</summary>
    public const string ReferenceDigestAnnotation = "vnd.docker.reference.digest";

    // The order in which Go's ocispec.Descriptor is written.
    private static readonly string[] FieldOrder = ["mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"];

    private static readonly Dictionary<string, string> NoAnnotations = [];

    private readonly ReadOnlyMemory<byte> _json;
    private readonly Dictionary<string, string> _annotations;

    private OciDescriptor(ReadOnlyMemory<byte> json, string mediaType, OciDigest digest, long size, Dictionary<string, string> annotations)
    {
        _json = json;
        _annotations = annotations;
        MediaType = mediaType;
        Digest = digest;
        Size = size;
    }

    /// <summary>The type of the blob; empty where it was left out.</summary>
    public string MediaType { get; }

    /// <summary>The digest of the blob.</summary>
    public OciDigest Digest { get; }

    /// <summary>Of the blob, in bytes.</summary>
    public long Size { get; }

    /// <summary>What an index says about the image: its names among others.</summary>
    public IReadOnlyDictionary<string, string> Annotations => _annotations;

    /// <summary>What it runs on, where an index says so.</summary>
    public OciPlatform? Platform { get; private init; }

    /// <summary>The type of an artifact that is no image; null where there is none.</summary>
    public string? ArtifactType { get; private init; }

    /// <summary>The name by which it is found: the whole one where there is one, or else the short one; null where it has none.</summary>
    public string? Name => ImageName ?? RefName;

    /// <summary>The whole name: <c>docker.io/library/app:1</c>; null where there is none.</summary>
    public string? ImageName => _annotations.GetValueOrDefault(ImageNameAnnotation);

    /// <summary>The short name: <c>1</c>; null where there is none.</summary>
    public string? RefName => _annotations.GetValueOrDefault(RefNameAnnotation);

    /// <summary>Whether it describes the attestations of another manifest, as BuildKit writes them.</summary>
    public bool IsAttestation => _annotations.GetValueOrDefault(ReferenceTypeAnnotation) == "attestation-manifest";

    /// <summary>As it is written.</summary>
    internal ReadOnlyMemory<byte> Json => _json;

    /// <summary>A descriptor of a blob.</summary>
    /// <param name="mediaType">The type of the blob.</param>
    /// <param name="digest">Its digest.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <returns>The descriptor.</returns>
    public static OciDescriptor Create(string mediaType, OciDigest digest, long size) =>
        Parse(OciJson.ToBytes(new JsonObject { ["mediaType"] = mediaType, ["digest"] = digest.ToString(), ["size"] = size }));

    /// <summary>The sum of sizes, which a hostile manifest can make larger than any number: then it is the largest.</summary>
    internal static long TotalSize(IEnumerable<long> sizes) => sizes.Aggregate(0L, static (sum, size) => sum > long.MaxValue - size ? long.MaxValue : sum + size);

    /// <summary>Reads a descriptor from its JSON text.</summary>
    /// <param name="utf8">The text, which must not change afterwards.</param>
    /// <returns>The descriptor.</returns>
    /// <exception cref="FormatException">It is none.</exception>
    public static OciDescriptor Parse(ReadOnlyMemory<byte> utf8) => OciJson.Guard(utf8, static utf8 =>
    {
        var reader = new Utf8JsonReader(utf8.Span);
        reader.Read();
        var descriptor = Read(ref reader, utf8);
        // Whatever follows is an error, which only reading on shows.
        reader.Read();
        return descriptor;
    });

    /// <summary>The descriptor as it was read.</summary>
    /// <returns>JSON.</returns>
    public override string ToString() => Encoding.UTF8.GetString(_json.Span);

    /// <summary>A copy with other annotations, in the order in which Go writes a descriptor.</summary>
    /// <param name="changes">Values by their names; null removes one.</param>
    /// <returns>The copy.</returns>
    /// <exception cref="FormatException">A field of it that is not known here can't be copied.</exception>
    public OciDescriptor WithAnnotations(IEnumerable<KeyValuePair<string, string?>> changes)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var annotations = new SortedDictionary<string, string>(_annotations, StringComparer.Ordinal);
        foreach (var (key, value) in changes)
        {
            if (value is null)
                annotations.Remove(key);
            else
                annotations[key] = value;
        }
        return With("annotations", annotations.Count == 0 ? null : new JsonObject(annotations.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))));
    }

    /// <summary>A copy with a name; null removes one.</summary>
    internal OciDescriptor With(string? imageName, string? refName) =>
        WithAnnotations([new(ImageNameAnnotation, imageName), new(RefNameAnnotation, refName)]);

    /// <summary>A copy that tells what it runs on.</summary>
    internal OciDescriptor WithPlatform(OciPlatform platform)
    {
        var json = new JsonObject { ["architecture"] = platform.Architecture, ["os"] = platform.OS };
        if (platform.OSVersion is not null)
            json["os.version"] = platform.OSVersion;
        if (platform.Variant is not null)
            json["variant"] = platform.Variant;
        return With("platform", json);
    }

    /// <summary>Reads the descriptor that begins where a reader stands, up to its end.</summary>
    /// <param name="reader">The reader; an index has many descriptors, so that they are read where they stand.</param>
    /// <param name="document">What it reads.</param>
    /// <exception cref="FormatException">It is none.</exception>
    internal static OciDescriptor Read(ref Utf8JsonReader reader, ReadOnlyMemory<byte> document)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("a descriptor is not an object");
        var start = (int)reader.TokenStartIndex;
        string mediaType = "", digestText = "";
        string? artifactType = null;
        long? size = null;
        OciPlatform? platform = null;
        var annotations = NoAnnotations;
        var seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldAt(ref reader);
            if (field >= 0 && seen == (seen |= 1 << field))
                throw new FormatException($"a descriptor has '{FieldOrder[field]}' twice");
            reader.Read();
            switch (field)
            {
                case 0: mediaType = OciMediaType.Read(ref reader); break;
                case 1: digestText = OciJson.ReadText(ref reader, "digest") ?? ""; break;
                case 2: size = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) && number >= 0 ? number : null; break;
                case 4: annotations = OciJson.ReadMap(ref reader, "annotations"); break;
                case 6: platform = OciPlatform.Read(ref reader); break;
                case 7: artifactType = OciJson.ReadText(ref reader, "artifactType") is { Length: > 0 } type ? type : null; break;
                default: reader.Skip(); break;
            }
        }
        if (!OciDigest.TryParse(digestText, out var digest))
            throw new FormatException($"a descriptor has the digest '{digestText}'");
        if (size is null)
            throw new FormatException($"the descriptor of {digest} has no size");
        return new OciDescriptor(document[start..(int)reader.BytesConsumed], mediaType, digest, size.Value, annotations) { Platform = platform, ArtifactType = artifactType };
    }

    /// <summary>Which of the fields in <see cref="FieldOrder"/> a reader stands at, or -1.</summary>
    private static int FieldAt(ref Utf8JsonReader reader)
    {
        for (var i = 0; i < FieldOrder.Length; i++)
            if (reader.ValueTextEquals(FieldOrder[i]))
                return i;
        return -1;
    }

    /// <summary>A copy that tells another media type.</summary>
    internal OciDescriptor WithMediaType(string mediaType) => With("mediaType", JsonValue.Create(mediaType));

    private OciDescriptor With(string field, JsonNode? value)
    {
        var json = OciJson.ParseObject(_json);
        if (value is null)
            json.Remove(field);
        else
            json[field] = value;
        return Parse(OciJson.ToBytes(OciJson.InOrder(json, FieldOrder)));
    }
}
