using System.Text;
using BuildKit.Docker;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Editing;
using BuildKit.Registry;

namespace BuildKit.Oci.Merging;

/// <summary>An index that was worked out, and is not written yet.</summary>
public sealed class OciMergePlan : IAsyncDisposable
{
    private const int BlobsAtOnce = 4;

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
    /// <param name="progress">Is told of the blobs, from several threads; null for nobody.</param>
    /// <param name="cancellationToken">Ends it. What was copied stays, without a name.</param>
    /// <returns>What it is.</returns>
    /// <exception cref="BuildKitException">A source or a destination failed.</exception>
    public async Task<OciMergeResult> WriteAsync(IProgress<OciCopyEvent>? progress, CancellationToken cancellationToken)
    {
        var content = new OciMergedContent(_index, _content, _entries);
        var copies = new List<(OciCopyTarget Target, OciCopyPlan Plan)>();
        try
        {
            foreach (var destination in _options.Destinations)
            {
                var plan = await OciCopyPlan.CreateAsync(content, _index, NameAt(destination), new OciCopySelection([], NoAttestation: false, OnlyPresent: false), cancellationToken)
                    .ConfigureAwait(false);
                var target = await OpenAsync(destination, cancellationToken).ConfigureAwait(false);
                copies.Add((target, plan));
                await new OciCopyRun(content, target, plan, progress).CopyBlobsAsync(BlobsAtOnce, cancellationToken).ConfigureAwait(false);
            }
            foreach (var (target, plan) in copies)
                await target.FinishAsync(plan, cancellationToken).ConfigureAwait(false);
            return Result;
        }
        finally
        {
            foreach (var (target, _) in copies)
                await target.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var source in _opened)
            await source.DisposeAsync().ConfigureAwait(false);
        _registries.Dispose();
    }

    private static OciImageName? NameAt(OciAddress destination) => destination.Path is null ? null : OciNames.Create(destination.Reference!);

    private async Task<OciCopyTarget> OpenAsync(OciAddress destination, CancellationToken cancellationToken)
    {
        if (destination.Path is { } path)
        {
            new OciLayout(path).DemandUpdatable();
            return new LayoutCopyTarget(path);
        }
        var reference = ImageReference.Parse(destination.Reference!);
        return new RegistryCopyTarget(await _registries.GetAsync(reference, cancellationToken).ConfigureAwait(false), reference);
    }
}
