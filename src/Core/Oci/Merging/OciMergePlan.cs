using System.Text;
using BuildKit.Registry;

namespace BuildKit.Oci.Merging;

/// <summary>An index that was worked out, and is not written yet.</summary>
public sealed class OciMergePlan : IAsyncDisposable
{
    private readonly RegistrySession _registries;
    private readonly IReadOnlyList<OciContentSource> _opened;
    private readonly IReadOnlyList<OciMergeEntry> _entries;
    private readonly OciDescriptor _index;
    private readonly byte[] _content;
    private readonly OciMergeOptions _options;

    internal OciMergePlan(
        RegistrySession registries, IReadOnlyList<OciContentSource> opened, IReadOnlyList<OciMergeEntry> entries, OciDescriptor index, byte[] content, OciMergeOptions options)
    {
        _registries = registries;
        _opened = opened;
        _entries = entries;
        _index = index;
        _content = content;
        _options = options;
    }

    /// <summary>What it will be.</summary>
    public OciMergeResult Result => new()
    {
        Digest = _index.Digest.ToString(),
        MediaType = _index.MediaType,
        Reference = _options.Destinations.Select(destination => destination.ToString()).ToList(),
        Manifests = _entries.Select(entry => new OciMergedManifest(
            entry.Entry.Digest.ToString(), entry.Entry.Platform, entry.Source.ReferenceTo(entry.Entry.Digest), entry.Entry.IsAttestation)).ToList(),
        Json = Encoding.UTF8.GetString(_content),
        Warnings = Warnings,
    };

    internal IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// Writes it: into every destination what is missing there of the images, then the index, and the names last. A name leads to what it led to before, or to a whole index.
    /// </summary>
    /// <param name="onProgress">Is told in words what is done; null for nobody.</param>
    /// <param name="cancellationToken">Ends it. What was copied stays, without a name.</param>
    /// <returns>What it is.</returns>
    /// <exception cref="BuildKitException">A source or a destination failed.</exception>
    public async Task<OciMergeResult> WriteAsync(Action<string>? onProgress, CancellationToken cancellationToken)
    {
        var targets = new List<IOciMergeTarget>();
        try
        {
            foreach (var group in _options.Destinations.GroupBy(destination => destination.Image?.Repository ?? destination.Layout!.Path))
                targets.Add(await OpenAsync(group.ToList(), cancellationToken).ConfigureAwait(false));
            foreach (var target in targets)
            {
                var copy = new OciTreeCopy(target, onProgress);
                foreach (var entry in _entries)
                    await copy.RunAsync(entry.Source, entry.Entry, cancellationToken).ConfigureAwait(false);
                await target.PutDocumentAsync(_index, _content, cancellationToken).ConfigureAwait(false);
            }
            foreach (var target in targets)
                await target.NameAsync(_index, _content, cancellationToken).ConfigureAwait(false);
            return Result;
        }
        finally
        {
            targets.ForEach(target => target.Dispose());
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var source in _opened)
            await source.DisposeAsync().ConfigureAwait(false);
        _registries.Dispose();
    }

    private async Task<IOciMergeTarget> OpenAsync(List<OciLocation> destinations, CancellationToken cancellationToken) => destinations[0].Image is { } image
        ? new RegistryMergeTarget(
            await _registries.GetAsync(image, cancellationToken).ConfigureAwait(false), destinations.Select(destination => destination.Image!.Tag!).ToList())
        : new LayoutMergeTarget(new OciLayout(destinations[0].Layout!.Path), destinations.Select(destination => destination.Layout!.Tag!).ToList());
}
