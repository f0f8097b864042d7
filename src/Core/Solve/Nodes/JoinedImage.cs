using BuildKit.Docker;
using BuildKit.Oci;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Nodes;

/// <summary>An image whose parts several nodes push.</summary>
/// <param name="Names">What it is to be called, whole and in the order asked for; with tags but where <paramref name="ByDigest"/>.</param>
/// <param name="ByDigest">Whether it gets no tag at all.</param>
/// <param name="Insecure">Whether its registry may speak plain http, or have a certificate that nobody signed.</param>
/// <param name="Annotations">Those of the index, and of its entries.</param>
internal sealed record JoinedImage(IReadOnlyList<string> Names, bool ByDigest, bool Insecure, IReadOnlyList<Annotation> Annotations)
{
    /// <summary>The names without their tags, each once.</summary>
    public IReadOnlyList<string> Repositories { get; } = Names.Select(RepositoryOf).Distinct().ToList();

    /// <summary>What a name is without its tag.</summary>
    public static string RepositoryOf(string name) => name.LastIndexOf(':') is var colon && colon > name.LastIndexOf('/') ? name[..colon] : name;

    /// <summary>The image that an output pushes.</summary>
    /// <param name="export">The output.</param>
    /// <param name="all">All outputs: what one of them says of the index counts (docker/buildx build/build.go, extractIndexAnnotations).</param>
    public static JoinedImage Of(PlannedExport export, IEnumerable<PlannedExport> all)
    {
        var byDigest = GoBoolean.Parse(export.Attributes.GetValueOrDefault("push-by-digest")) == true;
        var names = ExportAttributes.Names(export.Attributes).Distinct();
        return new JoinedImage(
            (byDigest ? names.Select(RepositoryOf).Distinct() : names).ToList(), byDigest, GoBoolean.Parse(export.Attributes.GetValueOrDefault("registry.insecure")) == true,
            all.SelectMany(output => output.Attributes).Select(attribute => Annotation.FromAttribute(attribute.Key, attribute.Value))
                .OfType<Annotation>().Where(annotation => annotation.Type is "index" or "manifest-descriptor").Distinct().ToList());
    }
}
