namespace BuildKit.Solve.Exporters;

/// <summary>The examples of <see cref="ExporterTable"/>'s rows: a way of a type is the same on every daemon.</summary>
internal static class ExporterExamples
{
    private const string Tag = "app:1";

    private static readonly Dictionary<(string Type, ExporterDestination Destination), ExporterExample> Rows = new()
    {
        [("image", ExporterDestination.None)] = new(Tag, "type=image", "an image in the daemon's store, if it has one"),
        [("registry", ExporterDestination.None)] = new("registry.example.com/team/app:1", "type=registry", "an image in its registry: image with push=true"),
        [("docker", ExporterDestination.None)] = new(Tag, "type=docker", "an image in this Engine's store"),
        [("docker", ExporterDestination.Engine)] = new(Tag, "type=docker", "an image in the store of a Docker Engine beside the builder, which loads it (-LoadInto)"),
        [("docker", ExporterDestination.File)] = new(Tag, "type=docker,dest=app.tar", "an archive for docker load, in a file or the pipeline"),
        [("docker", ExporterDestination.Layout)] = new(Tag, "type=docker,tar=false,dest=app", "a layout directory with docker's media types"),
        [("oci", ExporterDestination.File)] = new(Tag, "type=oci,dest=app.tar", "an OCI archive, in a file or the pipeline"),
        [("oci", ExporterDestination.Layout)] = new(Tag, "type=oci,tar=false,dest=app", "an OCI layout directory"),
        [("local", ExporterDestination.Directory)] = new(null, "type=local,dest=out", "the files of the last stage in a directory"),
        [("tar", ExporterDestination.File)] = new(null, "type=tar,dest=out.tar", "the files of the last stage in a tar archive, in a file or the pipeline"),
        [("cacheonly", ExporterDestination.None)] = new(null, "type=cacheonly", "nothing but a warm cache"),
    };

    public static ExporterExample Find(ExporterRow row) => Rows[(row.Type, row.Destination)];
}
