using System.Text;
using System.Text.Json;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Editing;
using BuildKit.Registry;

namespace BuildKit.Oci.Images;

/// <summary>Reads images: everything but their layers. Every blob is checked while it is read.</summary>
public static class OciImageReader
{
    // Each of them asks for three blobs or more, one after another.
    private const int AtOnce = 4;

    private const int MostNames = 20;

    /// <summary>Opens a place, and reads images from it.</summary>
    /// <param name="address">The place.</param>
    /// <param name="query">Which images.</param>
    /// <param name="onMissing">
    /// Is told what is left out because it is not there: <c>docker save</c> writes indexes that list platforms which it has not. Where nothing is left, that is the error.
    /// </param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The images, each once, in the order of the index.</returns>
    /// <exception cref="BuildKitException">
    /// <c>BuildKit.OciImageNotFound</c>, <c>BuildKit.OciPlatformNotFound</c>; <c>BuildKit.OciBlobInvalid</c> and the like for what is damaged; what a registry answers.
    /// </exception>
    public static async Task<IReadOnlyList<OciImage>> ReadAsync(
        OciAddress address, OciImageQuery query, Action<BuildKitException>? onMissing, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(query);
        using var registries = new RegistrySession(query.IsInsecure);
        var source = await OciAddressSource.OpenAsync(address, registries, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            var entries = await OciAddressSource.SelectAsync(address, source, cancellationToken).ConfigureAwait(false);
            return await ReadAsync(source, entries, query with { Digest = query.Digest ?? OciAddressSource.DigestOf(address) }, onMissing, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<OciImage>> ReadAsync(
        OciContentSource source, IReadOnlyList<OciDescriptor> entries, OciImageQuery query, Action<BuildKitException>? onMissing, CancellationToken cancellationToken)
    {
        var platforms = PlatformSpecifier.ParseMany(query.Platforms, "linux");
        var roots = entries.Where(entry => query.Name is null || OciImageWalk.NamesOf(entry).Append(entry.RefName).OfType<string>().Any(name => query.Name(name))).ToList();
        var walk = await OciImageWalk.RunAsync(source, roots, query.Digest, cancellationToken).ConfigureAwait(false);

        var wanted = walk.Images.Where(image => platforms.Count == 0 || image.Manifest.Platform is null || platforms.Exists(wanted => OciPlatformChoice.Is(image.Manifest.Platform, wanted))).ToList();
        var images = new OciImage?[wanted.Count];
        var failures = new BuildKitException?[wanted.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, wanted.Count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                try
                {
                    images[i] = await ReadOneAsync(source, wanted[i], query.IncludeAttestations ? walk.Attestations : null, token).ConfigureAwait(false);
                }
                catch (BuildKitException e) when (OciErrors.IsMissing(e))
                {
                    failures[i] = e;
                }
            }).ConfigureAwait(false);

        var read = images.OfType<OciImage>().Where(image => platforms.Count == 0 || platforms.Exists(wanted => OciPlatformChoice.Is(image.Platform, wanted))).ToList();
        var missing = walk.Missing.Concat(failures.OfType<BuildKitException>()).ToList();
        if (read.Count == 0)
            throw missing.FirstOrDefault() ?? NothingFound(source, entries, query, walk.Images);
        missing.ForEach(failure => onMissing?.Invoke(failure));
        return read;
    }

    private static BuildKitException NothingFound(OciContentSource source, IReadOnlyList<OciDescriptor> entries, OciImageQuery query, IReadOnlyList<FoundImage> found)
    {
        if (query.Platforms.Count > 0 && found.Count > 0)
            return OciErrors.PlatformNotFound(
                source.Location, string.Join(", ", query.Platforms), found.Select(image => image.Manifest.Platform).OfType<OciPlatform>().Select(platform => platform.ToString()));
        if (entries.Count == 0)
            return OciErrors.Empty(source.Location);
        return query.Digest is { } digest
            ? OciErrors.ImageNotFound(source.Location, digest.ToString(), entries)
            : new BuildKitException(
                "BuildKit.OciImageNotFound", BuildKitErrorCategory.NotFound,
                $"'{source.Location}' has no image of that name, only {string.Join(", ", entries.Select(entry => entry.Name ?? entry.Digest.ToString()).Distinct().Take(MostNames))}.", "Name one of them.")
            { Target = source.Location };
    }

    private static async Task<OciImage> ReadOneAsync(OciContentSource source, FoundImage found, ILookup<string, OciDescriptor>? attestations, CancellationToken cancellationToken)
    {
        var manifest = (await OciDocument.ReadAsync(source, found.Manifest, cancellationToken).ConfigureAwait(false)).Manifest!;
        var isImage = manifest.Config is { } described && OciMediaType.KindOf(described.MediaType) == OciBlobKind.Config;
        var (config, json) = isImage ? await ReadConfigAsync(source, manifest.Config!, cancellationToken).ConfigureAwait(false) : (null, "");
        var platform = config is { Os.Length: > 0 } ? new OciPlatform(config.Os, config.Architecture ?? "", Filled(config.Variant), Filled(config.OSVersion)) : found.Manifest.Platform;
        var statements = new List<OciAttestation>();
        foreach (var attestation in attestations?[found.Manifest.Digest.ToString()] ?? [])
            statements.AddRange(await OciAttestationReader.ReadAsync(source, attestation, platform, cancellationToken).ConfigureAwait(false));
        var history = (config?.History ?? []).OfType<OciHistoryJson>().ToList();
        var layers = OciImageLayers.Of(manifest, config?.RootFs?.DiffIds ?? [], history);
        return new OciImage
        {
            Reference = source.ReferenceTo(found.Manifest.Digest),
            Location = source.Location,
            Layout = source.LayoutPath,
            Names = found.Names,
            Digest = found.Manifest.Digest.ToString(),
            MediaType = found.Manifest.MediaType,
            Size = OciDescriptor.TotalSize([found.Manifest.Size, manifest.Config?.Size ?? 0, .. layers.DistinctBy(layer => layer.Digest).Select(layer => layer.Size)]),
            Platform = platform,
            Index = found.Index,
            Config = config is null ? null : ToConfig(manifest.Config!, config, json),
            History = OciImageLayers.Join(history, layers),
            Layers = layers,
            Annotations = Merge(found.Manifest.Annotations, manifest.Annotations),
            ArtifactType = manifest.ArtifactType ?? found.Manifest.ArtifactType ?? (isImage || manifest.Config?.MediaType is null or OciMediaType.Empty ? null : manifest.Config.MediaType),
            Subject = manifest.Subject?.Digest.ToString() ?? found.Manifest.Annotations.GetValueOrDefault(OciDescriptor.ReferenceDigestAnnotation),
            Attestations = statements,
        };
    }

    private static async Task<(OciImageConfigJson? Config, string Json)> ReadConfigAsync(OciContentSource source, OciDescriptor blob, CancellationToken cancellationToken)
    {
        var bytes = await source.ReadBlobAsync(blob, OciDocument.MaxBytes, cancellationToken).ConfigureAwait(false);
        try
        {
            return (JsonSerializer.Deserialize(bytes, OciImageJson.Default.OciImageConfigJson), Encoding.UTF8.GetString(bytes));
        }
        catch (JsonException e)
        {
            throw OciErrors.BlobInvalid(source.Location, blob, $"it is no configuration of an image: {e.Message}");
        }
    }

    private static OciImageConfig ToConfig(OciDescriptor blob, OciImageConfigJson config, string json) => new()
    {
        Digest = blob.Digest.ToString(),
        Created = config.Created,
        Author = Filled(config.Author),
        Env = List(config.Config?.Env),
        Entrypoint = List(config.Config?.Entrypoint),
        Cmd = List(config.Config?.Cmd),
        WorkingDir = Filled(config.Config?.WorkingDir),
        User = Filled(config.Config?.User),
        Labels = new Dictionary<string, string>(config.Config?.Labels ?? new Dictionary<string, string>()),
        ExposedPorts = List(config.Config?.ExposedPorts?.Keys.Order(StringComparer.Ordinal)),
        Volumes = List(config.Config?.Volumes?.Keys.Order(StringComparer.Ordinal)),
        StopSignal = Filled(config.Config?.StopSignal),
        Shell = List(config.Config?.Shell),
        OnBuild = List(config.Config?.OnBuild),
        Healthcheck = List(config.Config?.Healthcheck?.Test),
        Json = json,
    };

    private static Dictionary<string, string> Merge(IReadOnlyDictionary<string, string> ofEntry, IReadOnlyDictionary<string, string> ofManifest)
    {
        var all = new Dictionary<string, string>(ofEntry);
        // They have a place of their own.
        all.Remove(OciDescriptor.ImageNameAnnotation);
        all.Remove(OciDescriptor.RefNameAnnotation);
        all.Remove(OciIndexEntry.OtherNamesAnnotation);
        foreach (var (key, value) in ofManifest)
            all[key] = value;
        return all;
    }

    private static List<string> List(IEnumerable<string>? items) => items?.ToList() ?? [];

    private static string? Filled(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
