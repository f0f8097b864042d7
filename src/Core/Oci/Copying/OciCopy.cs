using System.Diagnostics;
using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Oci.Editing;
using BuildKit.Registry;

namespace BuildKit.Oci.Copying;

/// <summary>Copies images between layouts, archives, registries and Docker Engines.</summary>
public static class OciCopy
{
    /// <summary>
    /// Copies an image. Every blob is checked against its digest on the way; what is there already is not copied; and the name is put last, so that whatever breaks, nothing is to be found by it that is not
    /// whole. An archive that is there is replaced, a layout gets the image beside what it has.
    /// </summary>
    /// <param name="options">What to copy.</param>
    /// <param name="progress">Is told of the blobs, from several threads; or null.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="BuildKitException">
    /// The source has no such image (<c>BuildKit.OciLayoutNotFound</c>, <c>BuildKit.OciImageNotFound</c>, <c>BuildKit.ManifestNotFound</c>, <c>BuildKit.ImageNotFound</c>,
    /// <c>BuildKit.OciPlatformNotFound</c>), it is damaged (<c>BuildKit.OciBlobInvalid</c>, <c>BuildKit.OciBlobNotFound</c>), a registry refuses or can't be reached
    /// (<c>BuildKit.RegistryDenied</c>, <c>BuildKit.RegistryUnreachable</c>, <c>BuildKit.RegistryFailed</c> …), or the destination can't be written.
    /// </exception>
    public static Task<OciCopyResult> RunAsync(OciCopyOptions options, IProgress<OciCopyEvent>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        return RunAsync(options, new RegistrySession(options.Insecure), progress, cancellationToken);
    }

    /// <param name="options">What to copy.</param>
    /// <param name="registries">How registries are used; disposed when the copy has ended.</param>
    /// <param name="progress">As above.</param>
    /// <param name="cancellationToken">As above.</param>
    internal static async Task<OciCopyResult> RunAsync(OciCopyOptions options, RegistrySession registries, IProgress<OciCopyEvent>? progress, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var places = new OciCopyPlaces(options, registries);
        await using (places.ConfigureAwait(false))
        {
            DemandDestination(options.Destination);
            var source = await OciCopySource.OpenAsync(options.Source, places, cancellationToken).ConfigureAwait(false);
            await using (source.ConfigureAwait(false))
            {
                var selection = await SelectAsync(options, source, places, cancellationToken).ConfigureAwait(false);
                var plan = await OciCopyPlan.CreateAsync(source.Content, source.Root, NameAt(options.Destination, source), selection, cancellationToken).ConfigureAwait(false);
                // What docker loads has no place for them.
                if (options.IncludeReferrers && options.Destination.Transport is not (OciTransport.DockerDaemon or OciTransport.DockerArchive))
                    await plan.AddReferrersAsync(cancellationToken).ConfigureAwait(false);
                DemandFits(options.Destination, source.Content.Location, plan);
                var target = await OpenTargetAsync(options.Destination, places, cancellationToken).ConfigureAwait(false);
                await using (target.ConfigureAwait(false))
                {
                    var run = new OciCopyRun(source.Content, target, plan, progress);
                    await run.CopyBlobsAsync(options.Concurrency, cancellationToken).ConfigureAwait(false);
                    await target.FinishAsync(plan, cancellationToken).ConfigureAwait(false);
                    return new OciCopyResult
                    {
                        Source = options.Source.ToString(),
                        Destination = options.Destination.ToString(),
                        Digest = plan.Root.Digest.ToString(),
                        MediaType = plan.Root.MediaType,
                        Size = plan.Root.Size,
                        Platforms = plan.Platforms,
                        BlobsCopied = run.Count(OciCopyState.Copied),
                        BlobsSkipped = run.Count(OciCopyState.Skipped),
                        BlobsMounted = run.Count(OciCopyState.Mounted),
                        Referrers = plan.Referrers.Count,
                        Bytes = run.CopiedBytes,
                        Duration = Stopwatch.GetElapsedTime(started),
                    };
                }
            }
        }
    }

    /// <summary>An Engine's classic store, and the archive for it, hold one platform an image and nothing that is attested about it.</summary>
    private static async Task<OciCopySelection> SelectAsync(OciCopyOptions options, OciCopySource source, OciCopyPlaces places, CancellationToken cancellationToken)
    {
        var platforms = PlatformSpecifier.ParseMany(options.Platforms, "linux");
        var noAttestation = options.NoAttestation || options.Destination.Transport == OciTransport.DockerArchive;
        if (options.Destination.Transport == OciTransport.DockerDaemon)
        {
            var engine = await (await places.GetEngineAsync(cancellationToken).ConfigureAwait(false)).GetServerAsync(cancellationToken).ConfigureAwait(false);
            if (engine.ImageStore != BuildKitImageStore.Containerd)
            {
                noAttestation = true;
                if (platforms.Count == 0 && OciMediaType.KindOf(source.Root.MediaType) == OciBlobKind.Index && engine.Platforms.Count > 0)
                    platforms.Add(PlatformSpecifier.Parse(engine.Platforms[0], "linux"));
            }
        }
        return new OciCopySelection(platforms, noAttestation, OnlyPresent: options.Source.Transport == OciTransport.DockerDaemon);
    }

    // A digest is the content's own: in a registry it may be told beside the tag, to be compared.
    private static void DemandDestination(OciAddress destination)
    {
        var isDigest = destination.Transport == OciTransport.DockerDaemon
            ? destination.Reference!.Contains('@', StringComparison.Ordinal) || OciDigest.TryParse(destination.Reference, out _)
            : OciAddressSource.DigestOf(destination) is not null;
        if (isDigest)
            throw new BuildKitException(
                "BuildKit.InvalidDestination", BuildKitErrorCategory.InvalidArgument, $"Nothing can be copied to '{destination}': what is copied has the digest that it has.",
                "Give it a name or a tag, or none.")
            { Target = destination.ToString() };
    }

    private static void DemandFits(OciAddress destination, string source, OciCopyPlan plan)
    {
        var isForDocker = destination.Transport is OciTransport.DockerArchive or OciTransport.DockerDaemon;
        if (isForDocker && OciMediaType.KindOf(plan.Root.MediaType) == OciBlobKind.Manifest && OciManifest.Parse(plan.Manifests[^1].Content).Config is null)
            throw OciErrors.BlobInvalid(source, plan.Root, "it has no configuration, and without one docker loads no image");
        if (destination.Transport == OciTransport.DockerArchive && OciMediaType.KindOf(plan.Root.MediaType) == OciBlobKind.Index)
            throw new BuildKitException(
                "BuildKit.MultiPlatformNotSupported", BuildKitErrorCategory.NotSupported,
                $"An archive for 'docker load' holds one platform, and the image has {plan.Platforms.Count}: {string.Join(", ", plan.Platforms)}.",
                "Choose one by -Platform, or write an oci-archive:, which an Engine with the containerd image store loads, too.")
            { Target = destination.ToString() };
        if (destination is { Transport: OciTransport.Registry, Reference: { } name } && ImageReference.Parse(name).Digest is { } digest && digest != plan.Root.Digest.ToString())
            throw new BuildKitException(
                "BuildKit.DigestMismatch", BuildKitErrorCategory.InvalidArgument, $"The image has the digest {plan.Root.Digest}, and can't be put as '{name}'.", "Give a tag, or the image's own digest.")
            { Target = name };
    }

    // What the destination's address says, or else what the source calls it.
    private static OciImageName? NameAt(OciAddress destination, OciCopySource source) => destination.Transport switch
    {
        OciTransport.DockerDaemon => OciImageName.FromImage(destination.Reference!),
        OciTransport.DockerArchive when destination.Reference is { } name => OciImageName.FromImage(ImageReference.Normalize(name)),
        OciTransport.Registry => null,
        _ when destination.Reference is { } name => OciNames.Create(name),
        _ => source.Name,
    };

    private static async Task<OciCopyTarget> OpenTargetAsync(OciAddress address, OciCopyPlaces places, CancellationToken cancellationToken)
    {
        switch (address.Transport)
        {
            case OciTransport.OciLayout:
                new OciLayout(address.Path!).DemandUpdatable();
                return new LayoutCopyTarget(address.Path!);
            case OciTransport.OciArchive or OciTransport.DockerArchive:
                return new ArchiveCopyTarget(address.Path!, address.Transport == OciTransport.DockerArchive);
            case OciTransport.DockerDaemon:
                return new EngineCopyTarget(await places.GetEngineAsync(cancellationToken).ConfigureAwait(false));
            default:
                var reference = ImageReference.Parse(address.Reference!);
                return new RegistryCopyTarget(await places.Registries.GetAsync(reference, cancellationToken).ConfigureAwait(false), reference);
        }
    }
}
