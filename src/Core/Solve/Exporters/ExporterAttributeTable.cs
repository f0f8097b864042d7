using System.Text.RegularExpressions;
using Kind = BuildKit.Solve.Exporters.ExporterAttributeType;

namespace BuildKit.Solve.Exporters;

/// <summary>
/// The attributes that exporters understand. Names and meaning: moby/buildkit exporter/containerimage/exptypes/keys.go, exporter/oci, exporter/local, exporter/tar,
/// util/compression/attrs.go; the versions are the first tags that have them there.
/// </summary>
internal static partial class ExporterAttributeTable
{
    private const ExporterFormat Classic = ExporterFormat.ClassicStore;
    private const ExporterFormat Image = ExporterFormat.Image;
    private const ExporterFormat Stored = ExporterFormat.ContainerdStore | Image;
    private const ExporterFormat Archives = ExporterFormat.Oci | ExporterFormat.Docker;
    private const ExporterFormat Load = ExporterFormat.EngineLoad;
    private const ExporterFormat Local = ExporterFormat.Local;
    private const ExporterFormat Files = Local | ExporterFormat.Tar;

    private const string False = "false";
    private const string True = "true";

    public static IReadOnlyList<ExporterAttribute> Rows { get; } =
    [
        new("name", Kind.List, null, "0.3", Classic | Stored | Archives, "The image's names. Tags (-Tag) take its place where both are given."),
        new("dest", Kind.Path, null, null, Archives | Files, "Where the result goes on this side: a directory, or a file."),
        new("tar", Kind.Boolean, True, "0.11", Archives, "Whether the result is one tar archive; if not, dest is a directory that becomes an OCI layout."),
        new("context", Kind.String, null, null, Load, "The docker context whose Engine loads the image; -LoadInto goes first."),

        new("push", Kind.Boolean, "false; registry: true", "0.3", Classic | Stored, "Pushes the image to its registry."),
        new("push-by-digest", Kind.Boolean, False, "0.5", Image, "Pushes the image without a tag; its name must have none."),
        new("registry.insecure", Kind.Boolean, False, "0.3", Stored, "Lets the push use plain HTTP, or a certificate that can't be checked."),

        new("store", Kind.Boolean, True, "0.11", Stored, "Keeps the image in the worker's image store, where it has one."),
        new("unpack", Kind.Boolean, "false; Engine: true", "0.5", Stored, "Unpacks the image so that it can be run at once. An Engine before 29.1 always does."),
        new("dangling-name-prefix", Kind.String, "Engine: moby-dangling", "0.7", Stored, "Names an image that has no name PREFIX@DIGEST."),
        new("danging-name-empty-only", Kind.Boolean, "false; Engine: true", "0.21", Stored,
            "Uses dangling-name-prefix only where there is no other name. (BuildKit spells it so.)"),
        new("name-canonical", Kind.Boolean, False, "0.7", Stored, "Adds the name NAME@DIGEST."),
        new("prefer-image-digest", Kind.Boolean, "false; Engine: true", null, Stored | Load, "Makes clients take the manifest's digest for the image's, not the config's."),

        new("compression", Kind.Enumeration, "gzip", "0.7", Stored | Archives, "How new layers are compressed. zstd and estargz came with 0.10.")
        { Values = ["uncompressed", "gzip", "estargz", "zstd"] },
        new("compression-level", Kind.Integer, null, "0.10", Stored | Archives, "0 to 9 for gzip and estargz, 0 to 22 for zstd."),
        new("force-compression", Kind.Boolean, False, "0.9", Stored | Archives, "Compresses the layers of base images anew as well."),
        new("oci-mediatypes", Kind.Boolean, "oci: true; else false, from 0.31 on true", "0.3", Stored | Archives, "Uses OCI's media types instead of docker's."),
        new("oci-artifact", Kind.Boolean, "false; from 0.32 on true", "0.19", Stored | Archives, "Writes attestations as OCI artifacts."),
        new("attestation-inline", Kind.Boolean, "true; oci, docker: false", "0.11", Stored | Archives, "Attaches attestations that are meant for images alone."),
        new("prefer-nondist-layers", Kind.Boolean, False, "0.10", Stored | Archives, "Keeps layers marked that may not be distributed."),
        new("rewrite-timestamp", Kind.Boolean, False, "0.13", Stored | Archives, "Sets the times of files in layers that are later than the source date epoch to it."),
        new("source-date-epoch", Kind.Integer, null, "0.11", Stored | Archives | Files, "The time that stands for that of the build, in seconds since 1970."),
        new("annotation.KEY", Kind.String, null, "0.11", Stored | Archives,
            "An annotation. annotation-TYPE.KEY and annotation-TYPE[PLATFORM].KEY say where it goes: manifest, manifest-descriptor, index, index-descriptor."),
        new("buildinfo", Kind.Boolean, True, "0.10", Stored | Archives, "Adds build information to the image's config. Gone from 0.12 on."),
        new("buildinfo-attrs", Kind.Boolean, False, "0.10", Stored | Archives, "Adds the frontend's options to the build information. Gone from 0.12 on."),

        new("platform-split", Kind.Boolean, "true with several platforms", "0.12", Local, "Gives every platform a directory of its own."),
        new("attestation-prefix", Kind.String, null, "0.11", Files, "Comes before the file names of attestations."),
        new("mode", Kind.Enumeration, "copy", "0.31", Local, "copy leaves other files in the directory as they are. delete can't be had here: empty the directory first.")
        { Values = ["copy", "delete"] },
    ];

    /// <summary>The row of a name, or null.</summary>
    public static ExporterAttribute? Find(string name)
    {
        var known = AnnotationKey().IsMatch(name) ? "annotation.KEY" : name;
        return Rows.FirstOrDefault(row => row.Name == known);
    }

    /// <summary>The attributes that have an effect in a format.</summary>
    public static IEnumerable<ExporterAttribute> Of(ExporterFormat format) => Rows.Where(row => (row.Formats & format) != 0);

    // exptypes.ParseAnnotationKey
    [GeneratedRegex(@"^annotation(-[a-z-]+)?(\[[A-Za-z0-9_/-]+\])?\.\S+$")]
    private static partial Regex AnnotationKey();
}
