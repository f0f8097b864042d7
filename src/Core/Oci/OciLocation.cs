using System.Text.RegularExpressions;
using BuildKit.Docker;
using BuildKit.Registry;

namespace BuildKit.Oci;

/// <summary>
/// A place with images as a person writes it: a path (it begins like one: <c>/</c>, <c>./</c>, <c>../</c>, <c>~</c> or a drive), <c>oci-layout://PATH[:TAG][@DIGEST]</c>, or an
/// image's name in a registry, with or without <c>docker://</c>. No name of an image begins like a path.
/// </summary>
public sealed partial record OciLocation
{
    private const string RegistryScheme = "docker://";

    private OciLocation(OciLayoutReference? layout, ImageReference? image)
    {
        Layout = layout;
        Image = image;
    }

    /// <summary>A layout directory, an archive or an index file, and what is meant in it; null for a registry.</summary>
    public OciLayoutReference? Layout { get; }

    /// <summary>A name in a registry; null for a layout.</summary>
    internal ImageReference? Image { get; }

    /// <summary>What is meant in a layout, where a digest tells it.</summary>
    internal OciDigest? Digest => OciDigest.TryParse(Layout?.Digest, out var digest) ? digest : null;

    /// <summary>Reads what a person wrote.</summary>
    /// <param name="text">The text.</param>
    /// <param name="toFullPath">Makes an absolute path of a path that was written; <see cref="Path.GetFullPath(string)"/> for one.</param>
    /// <returns>The place.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidTag</c>: it is no name of an image.</exception>
    public static OciLocation Parse(string text, Func<string, string> toFullPath)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(toFullPath);
        if (text.StartsWith(OciLayoutReference.Scheme, StringComparison.Ordinal))
        {
            var reference = OciLayoutReference.Parse(text);
            return new OciLocation(reference with { Path = toFullPath(reference.Path) }, null);
        }
        if (BeginsLikeAPath().IsMatch(text))
            return AtPath(toFullPath(text));
        return new OciLocation(null, ImageReference.Parse(text.StartsWith(RegistryScheme, StringComparison.Ordinal) ? text[RegistryScheme.Length..] : text));
    }

    /// <summary>A layout directory, an archive or an index file.</summary>
    /// <param name="path">The path, taken as it is.</param>
    /// <returns>The place.</returns>
    public static OciLocation AtPath(string path) => new(new OciLayoutReference(path, null, null), null);

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Image?.ToString() ?? (Layout!.Tag is null && Layout.Digest is null ? Layout.Path : Layout.ToString());

    /// <summary>Opens it for reading.</summary>
    /// <param name="registries">Has to outlive what is returned.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>The source; the caller disposes it.</returns>
    internal async Task<OciContentSource> OpenAsync(RegistrySession registries, CancellationToken cancellationToken) => Image is null
        ? await OciContentSources.OpenAsync(Layout!.Path, cancellationToken).ConfigureAwait(false)
        : new RegistrySource(await registries.GetAsync(Image, cancellationToken).ConfigureAwait(false), Image);

    /// <summary>The entries of the source's index that its tag means; all where it has none. What <see cref="Digest"/> means may be anywhere below them.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciImageNotFound</c>.</exception>
    internal async Task<IReadOnlyList<OciDescriptor>> SelectAsync(OciContentSource source, CancellationToken cancellationToken)
    {
        var index = await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        return Layout?.Tag is { } tag && Layout.Digest is null ? [index.Find(tag) ?? throw OciErrors.ImageNotFound(source.Location, tag, index.Manifests)] : index.Manifests;
    }

    [GeneratedRegex(@"^([./\\~]|[A-Za-z]:[/\\])")]
    private static partial Regex BeginsLikeAPath();
}
