using System.Buffers;
using System.Text.Json;

namespace BuildKit.Oci;

/// <summary>
/// An image index, such as the <c>index.json</c> of a layout (OCI image-spec, image-index.md), or a manifest list of Docker, which looks the same. What is not
/// changed is written as it was read.
/// </summary>
public sealed class OciIndex
{
    private const string ManifestsField = "manifests";

    // The order in which Go's ocispec.Index is written.
    private static readonly string[] FieldOrder = ["schemaVersion", "mediaType", "artifactType", ManifestsField, "subject", "annotations"];

    private readonly List<OciMember> _members;
    private readonly List<OciDescriptor> _manifests;

    private OciIndex(ReadOnlyMemory<byte> document, List<OciMember> members, List<OciDescriptor> manifests)
    {
        Document = document;
        _members = members;
        _manifests = manifests;
    }

    /// <summary>What it lists, in its order.</summary>
    public IReadOnlyList<OciDescriptor> Manifests => _manifests;

    /// <summary>What it says it is; null where it does not.</summary>
    public string? MediaType { get; private init; }

    /// <summary>The type of an artifact that is no image; null where there is none.</summary>
    public string? ArtifactType { get; private init; }

    /// <summary>The manifest that this one is about; null where there is none.</summary>
    public OciDescriptor? Subject { get; private init; }

    /// <summary>What it says about itself.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; private init; } = new Dictionary<string, string>();

    /// <summary>What it was read from.</summary>
    internal ReadOnlyMemory<byte> Document { get; }

    /// <summary>An index that lists nothing.</summary>
    /// <returns>The index.</returns>
    public static OciIndex CreateEmpty() => Parse("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"""u8.ToArray());

    /// <summary>Reads an index.</summary>
    /// <param name="utf8">Its JSON text, which must not change afterwards.</param>
    /// <returns>The index.</returns>
    /// <exception cref="FormatException">It is none; the message tells where.</exception>
    public static OciIndex Parse(ReadOnlyMemory<byte> utf8) => OciJson.Guard(utf8, static utf8 =>
    {
        var reader = new Utf8JsonReader(utf8.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("it is not a JSON object");
        var members = new List<OciMember>();
        List<OciDescriptor> manifests = [];
        string? mediaType = null, artifactType = null;
        OciDescriptor? subject = null;
        Dictionary<string, string> annotations = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            OciJson.DemandOnce(members, name);
            var begin = (int)reader.TokenStartIndex;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            switch (name)
            {
                case ManifestsField: manifests = ReadManifests(ref reader, utf8); break;
                case "mediaType": mediaType = OciJson.ReadText(ref reader, name) is { Length: > 0 } type ? type : null; break;
                case "artifactType": artifactType = OciJson.ReadText(ref reader, name) is { Length: > 0 } kind ? kind : null; break;
                case "subject": subject = reader.TokenType == JsonTokenType.Null ? null : OciDescriptor.Read(ref reader, utf8); break;
                case "annotations": annotations = OciJson.ReadMap(ref reader, name); break;
                default: reader.Skip(); break;
            }
            var end = (int)reader.BytesConsumed;
            members.Add(new OciMember(name, utf8[start..end], utf8[begin..end]));
        }
        // Whatever follows is an error, which only reading on shows.
        reader.Read();
        return new OciIndex(utf8, members, manifests) { MediaType = mediaType, ArtifactType = artifactType, Subject = subject, Annotations = annotations };
    });

    /// <summary>The first entry with a name: by its whole name, or else by its short one (moby/buildkit client/ociindex).</summary>
    /// <param name="name">The name.</param>
    /// <returns>The entry, or null.</returns>
    public OciDescriptor? Find(string name) =>
        _manifests.Find(manifest => manifest.ImageName == name) ?? _manifests.Find(manifest => manifest.RefName == name);

    /// <summary>Replaces everything it lists.</summary>
    /// <param name="manifests">What it is to list.</param>
    public void Replace(IEnumerable<OciDescriptor> manifests)
    {
        var list = manifests.ToList();
        _manifests.Clear();
        _manifests.AddRange(list);
    }

    /// <summary>The index as it is to be written.</summary>
    /// <returns>JSON.</returns>
    public byte[] ToBytes()
    {
        var list = new ArrayBufferWriter<byte>();
        list.Write("\"manifests\":"u8);
        OciJson.Join(list, (byte)'[', _manifests.Select(manifest => manifest.Json), (byte)']');
        var members = _members.Select(member => member.Name == ManifestsField ? list.WrittenMemory : member.Raw);
        if (!_members.Exists(member => member.Name == ManifestsField))
            members = members.Append(list.WrittenMemory);
        var document = new ArrayBufferWriter<byte>();
        OciJson.Join(document, (byte)'{', members, (byte)'}');
        return document.WrittenSpan.ToArray();
    }

    /// <summary>Adds an entry in place of those that have the same name; all others stay as they are, and the index gets what BuildKit demands (moby/buildkit client/ociindex).</summary>
    /// <param name="manifest">What to add.</param>
    /// <param name="name">The name to give it.</param>
    internal void Put(OciDescriptor manifest, OciImageName name)
    {
        _manifests.RemoveAll(other => (other.ImageName ?? "") == (name.ImageName ?? "") && (other.RefName ?? "") == name.RefName);
        _manifests.Add(manifest.With(name.ImageName, name.RefName));
        SetDefault("schemaVersion", "2", static member => !member.IsNull);
        SetDefault("mediaType", "\"application/vnd.oci.image.index.v1+json\"", static member => member.Text() is { Length: > 0 });
        var ordered = _members.OrderBy(member => Array.IndexOf(FieldOrder, member.Name) is var place and >= 0 ? place : FieldOrder.Length).ToList();
        _members.Clear();
        _members.AddRange(ordered);
    }

    private void SetDefault(string name, string value, Predicate<OciMember> isSet)
    {
        if (_members.Exists(member => member.Name == name && isSet(member)))
            return;
        _members.RemoveAll(member => member.Name == name);
        _members.Add(OciMember.Create(name, value));
        if (!_members.Exists(member => member.Name == ManifestsField))
            _members.Add(OciMember.Create(ManifestsField, "[]"));
    }

    private static List<OciDescriptor> ReadManifests(ref Utf8JsonReader reader, ReadOnlyMemory<byte> document)
    {
        var manifests = new List<OciDescriptor>();
        if (reader.TokenType == JsonTokenType.Null)
            return manifests;
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new FormatException($"its '{ManifestsField}' are no array");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            try
            {
                manifests.Add(OciDescriptor.Read(ref reader, document));
            }
            catch (FormatException e)
            {
                throw new FormatException($"{ManifestsField}[{manifests.Count}]: {e.Message}", e);
            }
        }
        return manifests;
    }
}
