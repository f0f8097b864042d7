namespace BuildKit.Oci;

/// <summary>The manifest of an image or of an artifact (OCI image-spec, manifest.md), or Docker's schema 2, which looks the same.</summary>
public sealed class OciManifest
{
    private OciManifest(OciDescriptor? config, List<OciDescriptor> layers)
    {
        Config = config;
        Layers = layers;
    }

    /// <summary>The configuration; null where there is none, which no image is without.</summary>
    public OciDescriptor? Config { get; }

    /// <summary>The layers, the lowest first; of an artifact, what it consists of.</summary>
    public IReadOnlyList<OciDescriptor> Layers { get; }

    /// <summary>What it says it is; null where it does not.</summary>
    public string? MediaType { get; private init; }

    /// <summary>The type of an artifact that is no image; null where there is none.</summary>
    public string? ArtifactType { get; private init; }

    /// <summary>The manifest that this one is about, such as the image that a signature signs; null where there is none.</summary>
    public OciDescriptor? Subject { get; private init; }

    /// <summary>What it says about itself.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; private init; } = new Dictionary<string, string>();

    /// <summary>Reads a manifest.</summary>
    /// <param name="utf8">Its JSON text, which must not change afterwards.</param>
    /// <returns>The manifest.</returns>
    /// <exception cref="FormatException">It is none; the message tells where.</exception>
    public static OciManifest Parse(ReadOnlyMemory<byte> utf8)
    {
        OciDescriptor? config = null, subject = null;
        var layers = new List<OciDescriptor>();
        string? mediaType = null, artifactType = null;
        Dictionary<string, string> annotations = [];
        foreach (var member in OciJson.Members(utf8))
        {
            switch (member.Name)
            {
                case "config": config = Descriptor(member.Value, "config"); break;
                case "subject": subject = member.IsNull ? null : Descriptor(member.Value, "subject"); break;
                // What manifests of artifacts of before image-spec 1.1 called it.
                case "layers" or "blobs":
                    foreach (var item in OciJson.Items(member))
                        layers.Add(Descriptor(item, $"{member.Name}[{layers.Count}]"));
                    break;
                case "mediaType": mediaType = member.Text() is { Length: > 0 } type ? type : null; break;
                case "artifactType": artifactType = member.Text() is { Length: > 0 } kind ? kind : null; break;
                case "annotations": annotations = OciJson.Map(member); break;
                default: break;
            }
        }
        return new OciManifest(config, layers) { MediaType = mediaType, ArtifactType = artifactType, Subject = subject, Annotations = annotations };
    }

    private static OciDescriptor Descriptor(ReadOnlyMemory<byte> utf8, string place)
    {
        try
        {
            return OciDescriptor.Parse(utf8);
        }
        catch (FormatException e)
        {
            throw new FormatException($"{place}: {e.Message}", e);
        }
    }
}
