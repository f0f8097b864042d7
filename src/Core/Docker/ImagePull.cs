using System.Net;

namespace BuildKit.Docker;

/// <summary>Has an Engine pull an image, and believes it only what it proves.</summary>
internal static class ImagePull
{
    /// <summary>Pulls an image, or takes a local one where the policy says so, and looks at what the Engine then has.</summary>
    /// <param name="engine">The Engine.</param>
    /// <param name="reference">The image's name, with a tag or digest or without.</param>
    /// <param name="platform">The platform to pull, such as <c>linux/arm64</c>; null for the Engine's own.</param>
    /// <param name="policy">Whether the registry is asked.</param>
    /// <param name="config">Where the registry's credentials are.</param>
    /// <param name="progress">Is told of every layer, in order; or null.</param>
    /// <param name="cancellationToken">Ends the pull on the Engine too.</param>
    /// <returns>The image as the Engine has it.</returns>
    /// <exception cref="BuildKitException">
    /// A row of <see cref="PullErrorTable"/>: <c>BuildKit.ImageNotFoundInRegistry</c>, <c>BuildKit.RegistryDenied</c>, <c>BuildKit.RegistryUnreachable</c>, <c>BuildKit.ImageCorrupt</c>,
    /// <c>BuildKit.PlatformNotFound</c>, <c>BuildKit.InvalidTag</c> and their like, <c>BuildKit.ImagePullFailed</c> for what none of them knows; <c>BuildKit.ImageNotFound</c>
    /// where the registry was not to be asked; a credential helper's error; or the connection to the Engine broke.
    /// </exception>
    public static async Task<ImagePullResult> RunAsync(
        DockerEngineClient engine, string reference, string? platform, ImagePullPolicy policy, DockerConfigFile config, IProgress<ImagePullEvent>? progress,
        CancellationToken cancellationToken)
    {
        var name = ImageReference.Parse(reference);
        var asked = platform is null ? null : PlatformSpecifier.Parse(platform, "linux");
        if (policy is ImagePullPolicy.Missing or ImagePullPolicy.Never)
        {
            var (local, failure) = await FindLocalAsync(engine, name, asked, cancellationToken).ConfigureAwait(false);
            if (local is not null)
                return local;
            if (policy == ImagePullPolicy.Never)
                throw failure!;
        }
        try
        {
            return await PullAsync(engine, name, asked, config, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException exception) when (policy == ImagePullPolicy.Newer)
        {
            ImagePullResult? local;
            try
            {
                (local, _) = await FindLocalAsync(engine, name, asked, cancellationToken).ConfigureAwait(false);
            }
            catch (BuildKitException)
            {
                local = null;
            }
            if (local is null)
                throw;
            return local with { Warning = $"{exception.Message.TrimEnd('.')}. The local image is used, which may be older." };
        }
    }

    private static async Task<ImagePullResult> PullAsync(
        DockerEngineClient engine, ImageReference name, PlatformSpecifier? asked, DockerConfigFile config, IProgress<ImagePullEvent>? progress, CancellationToken cancellationToken)
    {
        using var credentials = new CredentialStore(config);
        var subject = new PullSubject(name, await credentials.GetAsync(name.Registry, cancellationToken).ConfigureAwait(false));
        var digest = await engine.Images.CreateImageAsync(subject, asked, progress is null ? null : new LayerProgress(progress), cancellationToken).ConfigureAwait(false);
        if (name.Digest is not null && name.Digest != digest)
            throw Unproven(subject, $"the Engine pulled {digest} instead");
        ImageInspectResponse image;
        try
        {
            image = await engine.Images.InspectImageAsync(name.Exact, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.ErrorId == "BuildKit.ImageNotFound")
        {
            throw Unproven(subject, "the Engine said that it has pulled the image, but does not have it: it was removed meanwhile, or the Engine lost it");
        }
        if (!image.DigestsIn(name).Contains(digest) && !await IsOtherPlatformKnownAsync(engine, name with { Tag = null, Digest = digest }, image, cancellationToken).ConfigureAwait(false))
            throw Unproven(subject, $"the Engine said that it has pulled {digest}, but the name leads to another image: something else tagged it meanwhile");
        var (seen, warning) = await PlatformOfPulledAsync(engine, subject, asked, image, digest, cancellationToken).ConfigureAwait(false);
        return Result(name, seen, digest) with { Pulled = true, Warning = warning };
    }

    /// <summary>
    /// Whether a digest stands for another platform of the same image: of an index that was pulled for two platforms the classic store keeps the digest with the first
    /// (moby daemon/internal/distribution/pull_v2.go, addDigestReference), while the tag goes on to the second.
    /// </summary>
    private static async Task<bool> IsOtherPlatformKnownAsync(DockerEngineClient engine, ImageReference byDigest, ImageInspectResponse image, CancellationToken cancellationToken)
    {
        try
        {
            var other = await engine.Images.InspectImageAsync(byDigest.Exact, cancellationToken).ConfigureAwait(false);
            return other.Platform is not null && image.Platform is not null && other.Platform != image.Platform;
        }
        catch (DockerApiException)
        {
            return false;
        }
    }

    /// <summary>Takes an image of another platform than was asked for for a failure; an Engine that is given the only one that there is takes any.</summary>
    private static async Task<(ImageInspectResponse Image, string? Warning)> PlatformOfPulledAsync(
        DockerEngineClient engine, PullSubject subject, PlatformSpecifier? asked, ImageInspectResponse image, string digest, CancellationToken cancellationToken)
    {
        if (asked is null)
            return (image, null);
        if (await FindPlatformAsync(engine, subject.Reference, asked, image, cancellationToken).ConfigureAwait(false) is { } found)
            return (found, null);
        // The containerd store has all platforms of an index under one name, and its id is the index's. Before API 1.49 it tells of one of them, but the registry knows what there is.
        if (image.ID == digest)
        {
            var exact = subject with { Reference = subject.Reference with { Tag = null, Digest = digest } };
            var platforms = (await DistributionAsync(engine, exact, cancellationToken).ConfigureAwait(false))?.Platforms?.Select(platform => platform.ToSpecifier()).ToList() ?? [];
            if (platforms.Exists(platform => platform is not null && asked.Accepts(platform)))
                return (image with { Os = asked.OS, Architecture = asked.Architecture, Variant = asked.Variant }, null);
            if (platforms.Count > 0)
                throw PullErrorTable.OtherPlatform(subject, asked, image.Platform);
        }
        if (image.Platform is not null)
            throw PullErrorTable.OtherPlatform(subject, asked, image.Platform);
        return (image, $"The Docker Engine does not tell the platform of '{subject.Reference}', so that it is not sure that it is {asked}.");
    }

    private static async Task<DistributionInspectResponse?> DistributionAsync(DockerEngineClient engine, PullSubject subject, CancellationToken cancellationToken)
    {
        try
        {
            return await engine.Images.InspectDistributionAsync(subject, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException)
        {
            return null;
        }
    }

    /// <summary>The image that the Engine has, or why it is none.</summary>
    private static async Task<(ImagePullResult? Image, BuildKitException? Failure)> FindLocalAsync(
        DockerEngineClient engine, ImageReference name, PlatformSpecifier? asked, CancellationToken cancellationToken)
    {
        ImageInspectResponse image;
        try
        {
            image = await engine.Images.InspectImageAsync(name.Exact, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.ErrorId == "BuildKit.ImageNotFound")
        {
            return (null, exception);
        }
        var found = asked is null ? image : await FindPlatformAsync(engine, name, asked, image, cancellationToken).ConfigureAwait(false);
        if (found is null)
            return (null, PullErrorTable.OtherPlatform(new PullSubject(name, new DockerAuthConfig()), asked!, image.Platform));
        // With the classic store an image may be known by several digests of one repository, and nothing tells which of them this name had.
        var digests = image.DigestsIn(name).Distinct().ToList();
        return (Result(name, found, name.Digest ?? (digests.Count == 1 ? digests[0] : null)), null);
    }

    /// <summary>The image in the platform that was asked for; null where the Engine has it in another alone, or does not tell.</summary>
    private static async Task<ImageInspectResponse?> FindPlatformAsync(
        DockerEngineClient engine, ImageReference name, PlatformSpecifier asked, ImageInspectResponse image, CancellationToken cancellationToken)
    {
        if (image.Platform is { } platform && asked.Accepts(platform))
            return image;
        try
        {
            var other = await engine.Images.InspectImageAsync(name.Exact, asked, cancellationToken).ConfigureAwait(false);
            // Its id is the manifest's; the name leads to the index.
            return other.Platform is { } its && asked.Accepts(its) ? other with { ID = image.ID } : null;
        }
        catch (DockerApiException)
        {
            return null;
        }
    }

    private static ImagePullResult Result(ImageReference name, ImageInspectResponse image, string? digest) => new()
    {
        Reference = name.ToString(),
        Digest = digest,
        Id = image.ID,
        Platform = image.Platform?.ToString(),
        Size = image.Size,
    };

    private static DockerApiException Unproven(PullSubject subject, string why) => new(
        "BuildKit.ImagePullFailed", BuildKitErrorCategory.Protocol, HttpStatusCode.OK, $"The Docker Engine could not pull '{subject.Reference}': {why}.",
        "Pull again, and see what else works with the Engine's images.")
    {
        Target = subject.Reference.ToString(),
    };

    /// <summary>Tells of layers in bytes; an Engine counts the unpacking of one in seconds.</summary>
    private sealed class LayerProgress(IProgress<ImagePullEvent> progress) : IProgress<JSONMessage>
    {
        public void Report(JSONMessage value)
        {
            if (string.IsNullOrEmpty(value.Status))
                return;
            var bytes = string.IsNullOrEmpty(value.ProgressDetail?.Units) ? value.ProgressDetail : null;
            progress.Report(new ImagePullEvent(value.ProgressDetail is null ? null : value.ID, value.Status, bytes?.Current ?? 0, bytes?.Total ?? 0));
        }
    }
}
