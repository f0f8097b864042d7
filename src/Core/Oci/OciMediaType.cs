using System.Text.Json;

namespace BuildKit.Oci;

/// <summary>What a blob of a media type is to somebody who walks through a layout.</summary>
public enum OciBlobKind
{
    /// <summary>An index or a manifest list: points to manifests.</summary>
    Index,

    /// <summary>A manifest: points to a configuration and to layers.</summary>
    Manifest,

    /// <summary>The configuration of an image.</summary>
    Config,

    /// <summary>A layer of an image.</summary>
    Layer,

    /// <summary>Anything else that artifacts consist of.</summary>
    Other,
}

/// <summary>The media types of images (OCI image-spec, media-types.md; distribution, manifest v2 schema 2).</summary>
public static class OciMediaType
{
    /// <summary>An index.</summary>
    public const string Index = "application/vnd.oci.image.index.v1+json";

    /// <summary>A manifest.</summary>
    public const string Manifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>The configuration of an image.</summary>
    public const string Config = "application/vnd.oci.image.config.v1+json";

    /// <summary>Docker's index.</summary>
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>Docker's manifest.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Docker's configuration of an image.</summary>
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>A statement about how an image came to be or what is in it (in-toto): the layers of BuildKit's attestation manifests.</summary>
    public const string InToto = "application/vnd.in-toto+json";

    /// <summary>An empty JSON object, which stands for what an artifact has not.</summary>
    public const string Empty = "application/vnd.oci.empty.v1+json";

    // Manifests of artifacts of before image-spec 1.1, as ORAS and notation wrote them.
    private const string OciArtifact = "application/vnd.oci.artifact.manifest.v1+json";
    private const string OrasArtifact = "application/vnd.cncf.oras.artifact.manifest.v1+json";

    private const string OciLayer = "application/vnd.oci.image.layer.";

    private static readonly string[] Manifests = [Manifest, Index, DockerManifest, DockerManifestList];

    private static readonly string[] DockerLayers =
    [
        "application/vnd.docker.image.rootfs.diff.tar", "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar.zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ];

    private static readonly string[] LayerForms = ["tar", "tar+gzip", "tar+zstd"];

    /// <summary>Tells what a media type stands for.</summary>
    /// <param name="mediaType">The media type.</param>
    /// <returns>What it stands for.</returns>
    public static OciBlobKind KindOf(string mediaType) => mediaType switch
    {
        Index or DockerManifestList => OciBlobKind.Index,
        Manifest or DockerManifest or OciArtifact or OrasArtifact => OciBlobKind.Manifest,
        Config or DockerConfig => OciBlobKind.Config,
        _ => IsLayer(mediaType) ? OciBlobKind.Layer : OciBlobKind.Other,
    };

    /// <summary>Whether it is a manifest that has no configuration.</summary>
    internal static bool IsArtifactManifest(string mediaType) => mediaType is OciArtifact or OrasArtifact;

    /// <summary>Whether a layer may be elsewhere, and be left out of a layout.</summary>
    internal static bool IsForeignLayer(string mediaType) =>
        mediaType.Contains("nondistributable", StringComparison.Ordinal) || mediaType.Contains(".foreign.", StringComparison.Ordinal);

    /// <summary>Reads a media type where a reader stands; none is an empty one.</summary>
    /// <exception cref="FormatException">It is no text.</exception>
    internal static string Read(ref Utf8JsonReader reader)
    {
        // A large index has these thousands of times.
        if (reader.TokenType == JsonTokenType.String)
            foreach (var known in Manifests)
                if (reader.ValueTextEquals(known))
                    return known;
        return OciJson.ReadText(ref reader, "mediaType") ?? string.Empty;
    }

    private static bool IsLayer(string mediaType)
    {
        if (Array.IndexOf(DockerLayers, mediaType) >= 0)
            return true;
        if (!mediaType.StartsWith(OciLayer, StringComparison.Ordinal))
            return false;
        var rest = mediaType[OciLayer.Length..];
        rest = rest.StartsWith("nondistributable.", StringComparison.Ordinal) ? rest["nondistributable.".Length..] : rest;
        return rest.StartsWith("v1.", StringComparison.Ordinal) && Array.IndexOf(LayerForms, rest["v1.".Length..]) >= 0;
    }
}
